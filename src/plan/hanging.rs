//! What to do about functions that do not answer, so that those that do are served first.
//!
//! A request without an answer holds one of a few places until its time is over. So one that takes
//! long is taken back once others wait for its place, and is sent again behind them, where it may
//! take all the time that an answer may. What is waited for there in vain is limited for the whole
//! run. What was not answered then is left for the next run: nothing is claimed of it.

use super::failing;
use super::retry::Effort;
use crate::domain::FunctionUrn;
use std::collections::HashMap;
use std::time::Duration;

/// Once so many functions do not answer while others do, each of them is tried less: it is no
/// longer chance, and each costs as much as the ones before.
const SEVERAL: usize = 3;

/// A function that was not heard yet is waited for no less than this while others wait, once
/// several do not answer: 150 of them hold four places for two minutes in all. One that is merely
/// slow is heard when it is asked again behind the others.
const SHORTEST_AMONG_SEVERAL: Duration = Duration::from_secs(3);

/// How many times longer than others an answer may take before the request gives its place to who
/// waits for it.
const TIMES_LONGER: u32 = 3;

/// So long a run waits in vain behind the others, all its places together: with the four places and
/// the minute for an answer that are usual, seventeen functions get their whole time in five
/// minutes. Which they are is drawn, so that a slow one among many that hang has its turn in one
/// run or another.
pub const MOST_IN_VAIN: Duration = Duration::from_mins(20);

/// So much of that one function may take: it is enough to find one page that hangs among a month,
/// by some fifty halves of ten seconds each, and leaves something to the others.
pub const MOST_IN_VAIN_OF_ONE: Duration = Duration::from_mins(12);

/// How often a request is sent to a function that was not heard yet, once several do not answer.
const TRIES_AMONG_SEVERAL: u32 = 2;

/// So many tries of a request fail before it goes on behind the others, while these are answered:
/// one failure is chance.
const TRIES_IN_FRONT: u32 = 2;

/// A request that gets no answer in time is sent so often while the service answers others: each
/// try costs all the time that an answer may take. Once several functions do not answer, it is sent
/// once.
const MOST_TIMEOUTS: u32 = 2;

/// How many looks tell whether a function answers when something else is asked, once several do
/// not.
const LOOKS_AMONG_SEVERAL: usize = 1;

/// How many of the places requests may hold that go on behind the others, when so many functions
/// are being served or wait for that. A run may go on for hours, so that they keep one of several.
pub fn places(served: usize, places: usize) -> usize {
    match (served, places) {
        (0, all) => all,
        (_, 0 | 1) => 0,
        (_, all) => (all / 4).max(1),
    }
}

/// Whether a request goes on behind the others after so many tries that failed at once, while these
/// are answered: it holds no place while it waits for the next try, but would hold its turn.
pub fn falls_behind(tries: u32) -> bool {
    tries >= TRIES_IN_FRONT
}

/// What is known of one function.
#[derive(Clone, Copy, Debug, Default)]
struct Function {
    /// How long its slowest answer took, once it gave one.
    slowest: Option<Duration>,
    /// Whether a try was taken back or timed out since the last answer.
    hangs: bool,
    /// Whether it was given up in this run, and has not answered since.
    is_given_up: bool,
    /// Whether a request of it had all its time in vain, ever in this run.
    has_timed_out: bool,
    /// How long it was waited for in vain.
    in_vain: Duration,
}

impl Function {
    fn is_silent(&self) -> bool {
        self.hangs || self.is_given_up
    }
}

/// Which functions do not answer, and how long was waited for them in vain.
#[derive(Clone, Debug, Default)]
pub struct Hanging {
    functions: HashMap<FunctionUrn, Function>,
    /// How long the first answer of each function took, sorted.
    first_answers: Vec<Duration>,
    /// Whether any function answered in this run.
    is_any_heard: bool,
    /// How many functions are silent now.
    silent: usize,
    /// How many functions had a request that timed out.
    timed_out: usize,
    in_vain: Duration,
}

impl Hanging {
    /// A function answered, whatever it said.
    pub fn answered(&mut self, urn: &FunctionUrn, took: Duration) {
        self.is_any_heard = true;
        let is_first = self.change(urn, |function| {
            let is_first = function.slowest.is_none();
            function.slowest = function.slowest.max(Some(took));
            (function.hangs, function.is_given_up) = (false, false);
            is_first
        });
        if is_first {
            let place = self.first_answers.partition_point(|other| *other < took);
            self.first_answers.insert(place, took);
        }
    }

    /// A function answered when a small part of it was asked for, which tells nothing of how long
    /// the whole may take.
    pub fn heard(&mut self, urn: &FunctionUrn) {
        self.is_any_heard = true;
        self.change(urn, |function| (function.hangs, function.is_given_up) = (false, false));
    }

    /// Nothing more is asked of a function, since nothing that it was asked was answered.
    pub fn given_up(&mut self, urn: &FunctionUrn) {
        self.change(urn, |function| function.is_given_up = true);
    }

    /// A try was taken back, since others waited for its place.
    pub fn taken_back(&mut self, urn: &FunctionUrn) {
        self.change(urn, |function| function.hangs = true);
    }

    /// A try got no answer in all the time that it had.
    pub fn timed_out(&mut self, urn: &FunctionUrn, took: Duration) {
        self.in_vain += took;
        let is_first = self.change(urn, |function| {
            function.hangs = true;
            function.in_vain += took;
            !std::mem::replace(&mut function.has_timed_out, true)
        });
        self.timed_out += usize::from(is_first);
    }

    fn change<T>(&mut self, urn: &FunctionUrn, change: impl FnOnce(&mut Function) -> T) -> T {
        let function = self.functions.entry(urn.clone()).or_default();
        let was_silent = function.is_silent();
        let result = change(function);
        self.silent = self.silent + usize::from(function.is_silent()) - usize::from(was_silent);
        result
    }

    fn of(&self, urn: &FunctionUrn) -> Function {
        self.functions.get(urn).copied().unwrap_or_default()
    }

    /// Whether a request of a function goes on behind the others: the function hangs, or the
    /// request is a part of something that did.
    pub fn is_behind(&self, urn: &FunctionUrn, effort: Effort) -> bool {
        let function = self.of(urn);
        function.hangs || (effort != Effort::Whole && function.has_timed_out)
    }

    /// After how long a request is taken back if others wait for its place.
    ///
    /// What a function took before says most. Of one that was not heard, the others tell; half of
    /// them, so that a few slow ones keep nobody waiting.
    pub fn patience(&self, urn: &FunctionUrn) -> Duration {
        let (own, usual) = (self.of(urn).slowest, self.usual_answer());
        let shortest = if self.is_any_heard && self.is_one_of_several(urn) {
            SHORTEST_AMONG_SEVERAL
        } else {
            failing::limit(Duration::ZERO)
        };
        (own.or(usual).unwrap_or_default() * TIMES_LONGER).max(shortest)
    }

    /// How long to wait for an answer about a part of something that failed. Fifty parts of one
    /// page that hangs take eight minutes; where several functions have such pages, less than
    /// three.
    pub fn limit_of_a_part(&self, urn: &FunctionUrn) -> Duration {
        let slowest = self.of(urn).slowest.or(self.usual_answer()).unwrap_or_default();
        if self.timed_out >= SEVERAL {
            (slowest * TIMES_LONGER).max(SHORTEST_AMONG_SEVERAL)
        } else {
            failing::limit(slowest)
        }
    }

    /// How long half of the functions took for their first answer at most.
    fn usual_answer(&self) -> Option<Duration> {
        self.first_answers.get(self.first_answers.len() / 2).copied()
    }

    /// How often a request is sent that may be sent so often, while others are answered.
    pub fn tries(&self, urn: &FunctionUrn, patient: u32) -> u32 {
        if self.is_one_of_several(urn) { patient.min(TRIES_AMONG_SEVERAL) } else { patient }
    }

    /// Whether a request that timed out so often is not sent again, while others are answered.
    pub fn is_enough(&self, timeouts: u32) -> bool {
        timeouts >= if self.are_several() { 1 } else { MOST_TIMEOUTS }
    }

    /// How many looks tell whether a function answers when something else is asked.
    pub fn looks(&self, urn: &FunctionUrn, patient: usize) -> usize {
        if self.is_spent(urn) {
            0
        } else if self.is_one_of_several(urn) {
            patient.min(LOOKS_AMONG_SEVERAL)
        } else {
            patient
        }
    }

    /// Whether the run has waited in vain for so long that it leaves this function for the next
    /// one, unless it answers.
    pub fn is_spent(&self, urn: &FunctionUrn) -> bool {
        self.in_vain >= MOST_IN_VAIN || self.of(urn).in_vain >= MOST_IN_VAIN_OF_ONE
    }

    /// Whether a function was not heard yet, while several do not answer.
    fn is_one_of_several(&self, urn: &FunctionUrn) -> bool {
        self.are_several() && self.of(urn).slowest.is_none()
    }

    fn are_several(&self) -> bool {
        self.silent >= SEVERAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn urn(number: usize) -> FunctionUrn {
        format!("urn:fss:r:p:function:default:f{number}").parse().unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// So many functions that answered within this time, and then so many that hang.
    fn world(answered: &[u64], hanging: usize) -> Hanging {
        let mut known = Hanging::default();
        for (number, took) in answered.iter().enumerate() {
            known.answered(&urn(number), seconds(*took));
        }
        for number in 0..hanging {
            known.taken_back(&urn(1_000 + number));
        }
        known
    }

    #[test]
    fn who_was_not_heard_is_waited_for_shortly_once_several_hang() {
        let patience = |known: &Hanging| known.patience(&urn(7)).as_secs();
        assert_eq!(patience(&Hanging::default()), 10);
        assert_eq!(patience(&world(&[0, 0, 0], 2)), 10, "two may hang by chance");
        assert_eq!(patience(&world(&[0, 0, 0], 3)), 3);
        assert_eq!(patience(&world(&[], 3)), 10, "the service may be slow as a whole");
        assert_eq!(patience(&world(&[5, 5, 5], 3)), 15, "it is");
        assert_eq!(patience(&world(&[0, 0, 0, 40, 40], 3)), 3, "a few are slow");
        let mut known = world(&[], 3);
        known.heard(&urn(1));
        assert_eq!(patience(&known), 3, "somebody answers");
    }

    #[test]
    fn a_slow_function_that_was_heard_keeps_its_place() {
        let mut known = world(&[0, 40], 3);
        assert_eq!(known.patience(&urn(1)), seconds(120));
        assert_eq!(known.limit_of_a_part(&urn(1)), seconds(120));
        assert_eq!(known.limit_of_a_part(&urn(0)), seconds(10));
        known.heard(&urn(0));
        assert_eq!(known.patience(&urn(0)), seconds(10));
        for number in [7, 8, 8, 9] {
            assert_eq!(known.limit_of_a_part(&urn(0)), seconds(10));
            known.timed_out(&urn(number), seconds(60));
        }
        assert_eq!(known.limit_of_a_part(&urn(0)), seconds(3), "several have such pages");
        assert_eq!(known.limit_of_a_part(&urn(1)), seconds(120));
    }

    #[test]
    fn what_hangs_goes_on_behind_the_others_until_it_answers() {
        let mut known = world(&[0], 0);
        let is_behind = |known: &Hanging, effort| known.is_behind(&urn(1), effort);
        assert!(!is_behind(&known, Effort::Part));
        known.taken_back(&urn(1));
        assert!(is_behind(&known, Effort::Whole));
        known.heard(&urn(1));
        assert!(!is_behind(&known, Effort::Whole) && !is_behind(&known, Effort::Part));
        known.timed_out(&urn(1), seconds(60));
        assert!(is_behind(&known, Effort::Whole));
        known.answered(&urn(1), seconds(1));
        assert!(!is_behind(&known, Effort::Whole), "the function answers");
        assert!(is_behind(&known, Effort::Part), "a part of what timed out");
    }

    #[test]
    fn several_that_do_not_answer_are_tried_less() {
        let (few, many) = (world(&[0], 2), world(&[0], 3));
        assert_eq!((few.tries(&urn(9), 6), many.tries(&urn(9), 6)), (6, 2));
        assert_eq!((many.tries(&urn(0), 6), many.tries(&urn(9), 1)), (6, 1));
        assert_eq!([1, 2].map(|timeouts| few.is_enough(timeouts)), [false, true]);
        assert!(many.is_enough(1));
        assert_eq!(
            (few.looks(&urn(9), 3), many.looks(&urn(9), 3), many.looks(&urn(0), 3)),
            (3, 1, 3)
        );
        assert_eq!([1, 2, 6].map(falls_behind), [false, true, true]);
    }

    #[test]
    fn three_that_were_given_up_are_several_until_they_answer() {
        let mut known = world(&[0], 2);
        known.given_up(&urn(1_000));
        assert!(!known.is_enough(1), "it was counted before");
        known.given_up(&urn(1_002));
        assert!(known.is_enough(1) && !known.is_behind(&urn(1_002), Effort::Whole));
        known.heard(&urn(1_002));
        assert!(!known.is_enough(1));
    }

    #[test]
    fn one_function_leaves_time_to_the_others() {
        let mut known = Hanging::default();
        for _ in 0..12 {
            assert!(!known.is_spent(&urn(0)));
            known.timed_out(&urn(0), seconds(60));
        }
        assert!(known.is_spent(&urn(0)) && !known.is_spent(&urn(1)));
        assert_eq!((known.looks(&urn(0), 3), known.looks(&urn(1), 3)), (0, 3));
        for _ in 0..8 {
            known.timed_out(&urn(1), seconds(60));
        }
        assert!(known.is_spent(&urn(2)), "the time is over for all");
    }

    proptest! {
        /// Those who are served always keep a place, and who goes on behind them has one in the
        /// end.
        #[test]
        fn nobody_takes_all_places_from_those_who_are_served(
            served in 0_usize..1_000,
            all in 1_usize..1_000,
        ) {
            let behind = places(served, all);
            prop_assert!(behind <= all && (served == 0 || behind < all));
            prop_assert!(served > 0 || behind == all);
            prop_assert!(all == 1 || behind > 0);
        }

        /// However many hang, and whatever time an answer may take: waiting in vain ends soon after
        /// its limit.
        #[test]
        fn waiting_in_vain_ends(
            hanging in 1_usize..400,
            timeout in 1_u64..300,
            places in 1_usize..16,
        ) {
            let mut known = world(&[0], hanging);
            let (mut busy, mut tries) = (Duration::ZERO, 0);
            // All places are taken at once, before any of them knows what came of the others.
            let mut waiting = (0..hanging).map(|number| urn(1_000 + number)).cycle();
            loop {
                let urns: Vec<_> = waiting.by_ref().take(places).collect();
                if urns.iter().all(|urn| known.is_spent(urn)) {
                    break;
                }
                for urn in urns {
                    known.timed_out(&urn, seconds(timeout));
                    busy += seconds(timeout);
                    tries += 1;
                }
                prop_assert!(tries < 10_000);
            }
            let at_once = u32::try_from(places).unwrap();
            prop_assert!(busy <= MOST_IN_VAIN + seconds(timeout) * at_once);
        }

        /// After whatever happened, those are counted that do not answer now.
        #[test]
        fn who_does_not_answer_is_counted(
            events in prop::collection::vec((0_usize..5, 0_u8..5), 0..60),
        ) {
            let mut known = Hanging::default();
            for (number, event) in events {
                let urn = urn(number);
                match event {
                    0 => known.answered(&urn, seconds(1)),
                    1 => known.heard(&urn),
                    2 => known.taken_back(&urn),
                    3 => known.timed_out(&urn, seconds(60)),
                    _ => known.given_up(&urn),
                }
                let all = || known.functions.values();
                let silent = all().filter(|function| function.is_silent()).count();
                prop_assert_eq!(known.silent, silent);
                let heard = all().filter(|function| function.slowest.is_some());
                prop_assert_eq!(known.first_answers.len(), heard.count());
                prop_assert!(known.first_answers.is_sorted());
            }
        }
    }
}
