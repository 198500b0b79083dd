//! Who may send: places for requests under way, and turns for functions.
//!
//! Places are few, since the service is asked by few requests at once. Turns keep the order in
//! which functions are served, and are as many. A function that does not answer gives its turn to
//! the next, and its requests go on behind those of the others (`plan::hanging`).

use super::lock::lock;
use crate::domain::FunctionUrn;
use crate::plan::hanging;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};

/// The places and turns of a project.
#[derive(Debug)]
pub(super) struct Line {
    /// One until the service has let us in once: a wrong key is shown to it a single time.
    places: Semaphore,
    /// How many there are by now.
    open: AtomicUsize,
    concurrency: usize,
    turns: Arc<Semaphore>,
    /// The turns that functions hold. A function that is asked by several tasks holds one for each.
    held: Mutex<HashMap<FunctionUrn, Vec<HeldTurn>>>,
    /// How many wait for a place in front, or for a turn.
    waiting: watch::Sender<usize>,
    behind: watch::Sender<Behind>,
}

/// Who is served, and who goes on behind them.
#[derive(Debug, Default)]
struct Behind {
    /// How many functions hold a turn or wait for one.
    served: usize,
    /// How many places are held by requests behind the others.
    places: usize,
    /// The requests that wait behind the others, by numbers that were drawn: the least goes first.
    waiting: BTreeSet<u64>,
}

/// A turn, and its place among those that are served.
#[derive(Debug)]
struct HeldTurn {
    _permit: OwnedSemaphorePermit,
    _served: Served,
}

/// A place for one request.
#[derive(Debug)]
pub(super) struct Place<'l> {
    _permit: Option<SemaphorePermit<'l>>,
    _behind: Option<PlaceBehind<'l>>,
}

impl Line {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            places: Semaphore::new(1),
            open: AtomicUsize::new(1),
            concurrency,
            turns: Arc::new(Semaphore::new(concurrency)),
            held: Mutex::default(),
            waiting: watch::Sender::default(),
            behind: watch::Sender::default(),
        }
    }

    /// The service let us in: from now on requests may be side by side.
    pub(super) fn let_in(&self) {
        if self.open.swap(self.concurrency, Ordering::Relaxed) != self.concurrency {
            self.places.add_permits(self.concurrency.saturating_sub(1));
            self.behind.send_modify(|_| {});
        }
    }

    /// A place in front.
    pub(super) async fn place(&self) -> Place<'_> {
        let _waiting = Waiting::new(&self.waiting);
        // The semaphore is never closed, so there is always a permit to come.
        Place { _permit: self.places.acquire().await.ok(), _behind: None }
    }

    /// A place behind the others, in an order that is drawn.
    pub(super) async fn place_behind(&self, draw: u64) -> Place<'_> {
        let behind = {
            let waiting = WaitingBehind::new(&self.behind, draw);
            let mut changes = self.behind.subscribe();
            loop {
                if let Some(place) = self.try_place_behind(waiting.number) {
                    break place;
                }
                // The sender is a part of this, so there is always a change to come.
                let _ = changes.changed().await;
            }
        };
        Place { _permit: self.places.acquire().await.ok(), _behind: Some(behind) }
    }

    fn try_place_behind(&self, number: u64) -> Option<PlaceBehind<'_>> {
        let open = self.open.load(Ordering::Relaxed);
        let is_free = self.behind.send_if_modified(|behind| {
            let is_next = behind.waiting.first() == Some(&number);
            let is_free = is_next && behind.places < hanging::places(behind.served, open);
            behind.places += usize::from(is_free);
            is_free
        });
        is_free.then(|| PlaceBehind(&self.behind))
    }

    /// Waits until somebody waits for a place in front, or for a turn.
    pub(super) async fn is_wanted(&self) {
        // The sender is a part of this, so that waiting cannot fail.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }

    /// A turn for a function, until what is handed out is dropped or the function gives way.
    pub(super) async fn turn(&self, urn: FunctionUrn) -> Turn<'_> {
        let served = Served::new(&self.behind);
        let waiting = Waiting::new(&self.waiting);
        // It is never closed either.
        if let Ok(permit) = Arc::clone(&self.turns).acquire_owned().await {
            let turn = HeldTurn { _permit: permit, _served: served };
            lock(&self.held).entry(urn.clone()).or_default().push(turn);
        }
        drop(waiting);
        Turn { line: self, urn }
    }

    /// Lets the next have the turns of a function.
    pub(super) fn give_way(&self, urn: &FunctionUrn) {
        let turns = lock(&self.held).remove(urn);
        drop(turns);
    }
}

/// That it is a function's turn.
#[derive(Debug)]
pub(crate) struct Turn<'l> {
    line: &'l Line,
    urn: FunctionUrn,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let turn = lock(&self.line.held).get_mut(&self.urn).and_then(Vec::pop);
        drop(turn);
    }
}

/// Counts one who waits.
struct Waiting<'l>(&'l watch::Sender<usize>);

impl<'l> Waiting<'l> {
    fn new(waiting: &'l watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

/// Counts one that is served, or waits for that.
#[derive(Debug)]
struct Served(watch::Sender<Behind>);

impl Served {
    fn new(behind: &watch::Sender<Behind>) -> Self {
        behind.send_modify(|behind| behind.served += 1);
        Self(behind.clone())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.send_modify(|behind| behind.served -= 1);
    }
}

/// One who waits behind the others.
struct WaitingBehind<'l> {
    behind: &'l watch::Sender<Behind>,
    number: u64,
}

impl<'l> WaitingBehind<'l> {
    fn new(behind: &'l watch::Sender<Behind>, draw: u64) -> Self {
        let mut number = draw;
        behind.send_modify(|behind| {
            while !behind.waiting.insert(number) {
                number = number.wrapping_add(1);
            }
        });
        Self { behind, number }
    }
}

impl Drop for WaitingBehind<'_> {
    fn drop(&mut self) {
        self.behind.send_modify(|behind| {
            behind.waiting.remove(&self.number);
        });
    }
}

/// A place behind the others that is held.
#[derive(Debug)]
struct PlaceBehind<'l>(&'l watch::Sender<Behind>);

impl Drop for PlaceBehind<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|behind| behind.places -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{CallFailure, Meaning};
    use crate::clock::Clock;
    use crate::domain::{Marker, PAGE_LIMIT, Page, PageQuery, Timestamp};
    use crate::plan::failing::Setback;
    use crate::plan::hanging::MOST_IN_VAIN;
    use crate::plan::retry::{Effort, RetryPolicy};
    use crate::requester::testing::Lists;
    use crate::requester::{
        FunctionRequester, PageSink, Politeness, Requester, Witness, Witnesses,
    };
    use futures_util::future::{join_all, poll_immediate};
    use std::pin::pin;
    use std::time::Duration;
    use tokio::time::{Instant, sleep, timeout};

    fn urn(number: usize) -> FunctionUrn {
        format!("urn:fss:r:p:function:default:f{number}").parse().unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What a function does when it is asked.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Nature {
        /// It answers after so many milliseconds.
        Answers(u64),
        Hangs,
        /// Windows of more than a minute hang.
        HangsOnMuch,
        Breaks,
    }

    /// How long an answer may take.
    const LONGEST: Duration = Duration::from_mins(1);

    /// Functions with a nature each; how many requests are under way, and were at most.
    struct Service {
        natures: Vec<Nature>,
        under_way: AtomicUsize,
        most: AtomicUsize,
    }

    impl Service {
        async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Result<Page, CallFailure> {
            let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            let _under_way = UnderWay(&self.under_way);
            self.most.fetch_max(under_way, Ordering::SeqCst);
            let number: usize = urn.name()[1..].parse().unwrap();
            let nature = self.natures[number];
            let is_much = query.begin + seconds(60) < query.end;
            match nature {
                Nature::Breaks => {
                    Err(CallFailure::new("ask", Meaning::Unavailable { retry_after: None }))
                }
                Nature::Answers(after) => {
                    sleep(Duration::from_millis(after)).await;
                    Ok(Page::default())
                }
                Nature::HangsOnMuch if !is_much => Ok(Page::default()),
                Nature::Hangs | Nature::HangsOnMuch => {
                    sleep(LONGEST).await;
                    Err(CallFailure::new("ask", Meaning::Timeout))
                }
            }
        }
    }

    /// Counts a request that is under way.
    struct UnderWay<'s>(&'s AtomicUsize);

    impl Drop for UnderWay<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// What came of a function, and after how long.
    #[derive(Debug)]
    struct Outcome {
        after: Duration,
        setback: Option<Setback<CallFailure>>,
    }

    struct Run {
        requester: Requester<Lists>,
        service: Arc<Service>,
        outcomes: Vec<Outcome>,
        took: Duration,
    }

    impl Run {
        fn of(&self, nature: Nature) -> impl Iterator<Item = &Outcome> {
            let all = self.service.natures.iter().zip(&self.outcomes);
            all.filter(move |(other, _)| **other == nature).map(|(_, outcome)| outcome)
        }

        fn last(&self, nature: Nature) -> Duration {
            self.of(nature).map(|outcome| outcome.after).max().unwrap()
        }
    }

    /// Asks each of these functions for a few pages, in this order, four requests at once. Those
    /// that answer did so in the run before.
    async fn run(natures: &[Nature]) -> Run {
        run_with(natures, true, 7).await
    }

    async fn run_with(natures: &[Nature], was_archived: bool, seed: u64) -> Run {
        let service = Arc::new(Service {
            natures: natures.to_vec(),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let asked = Arc::clone(&service);
        let lists = Lists::new(move |urn, query| {
            let asked = Arc::clone(&asked);
            async move { asked.list(&urn, query).await }
        });
        let politeness =
            Politeness { max_rps: 50.0, concurrency: 4, patience: RetryPolicy::default(), seed };
        let requester = Requester::new(lists, Clock::System, politeness);
        let witness = |number| Witness {
            archived_until: (was_archived && matches!(natures[number], Nature::Answers(_)))
                .then(|| Timestamp::from_unix(1)),
            ..Witness::new(urn(number))
        };
        requester.call_on(Witnesses::Functions((0..natures.len()).map(witness).collect()));
        let began = Instant::now();
        let one = async |number: usize| {
            let _turn = requester.turn(urn(number)).await;
            let (urn, sink) = (urn(number), PageSink::new(|_, _| async {}));
            let function = FunctionRequester { requester: &requester, urn: &urn, sink };
            let query = |marker| PageQuery {
                begin: Timestamp::from_unix(0),
                end: Timestamp::from_unix(86_400),
                marker: Marker(marker),
                limit: PAGE_LIMIT,
            };
            for marker in 0..3 {
                if let Err(setback) = function.list(query(marker), Effort::Whole).await {
                    return Outcome { after: began.elapsed(), setback: Some(setback) };
                }
            }
            Outcome { after: began.elapsed(), setback: None }
        };
        let outcomes = join_all((0..natures.len()).map(one)).await;
        let took = began.elapsed();
        Run { requester, service, outcomes, took }
    }

    const SOUND: Nature = Nature::Answers(50);
    const SLOW: Nature = Nature::Answers(40_000);

    fn functions(groups: &[(usize, Nature)]) -> Vec<Nature> {
        groups.iter().flat_map(|&(many, nature)| std::iter::repeat_n(nature, many)).collect()
    }

    /// The others wait for a few seconds for each three that hang, even behind all of them.
    #[tokio::test(start_paused = true)]
    async fn who_answers_is_served_first_whatever_hangs() {
        let run = run(&functions(&[(60, Nature::Hangs), (60, SOUND)])).await;
        assert!(run.of(SOUND).all(|outcome| outcome.setback.is_none()));
        assert!(run.last(SOUND) < seconds(120), "{:?}", run.last(SOUND));
        let is_whole = |outcome: &Outcome| matches!(outcome.setback, Some(Setback::Whole(_)));
        assert!(run.of(Nature::Hangs).all(is_whole));
        let most = MOST_IN_VAIN / 4 + LONGEST * 2;
        assert!(run.took < run.last(SOUND) + most, "{:?}", run.took);
        assert!(run.requester.refusal().is_none());
        // The places, and what is asked beside them to see whether anybody is answered.
        assert!(run.service.most.load(Ordering::SeqCst) <= 4 + 3);
    }

    /// In how many of ten runs the service is taken to be down in which half of the functions hang,
    /// and are asked first.
    async fn taken_to_be_down(was_archived: bool) -> usize {
        let natures = functions(&[(30, Nature::Hangs), (30, SOUND)]);
        let mut down = 0;
        for seed in 0..10 {
            down += usize::from(run_with(&natures, was_archived, seed).await.requester.was_down());
        }
        down
    }

    /// Three witnesses that hang are chance where nothing is known of any, one in eight.
    #[tokio::test(start_paused = true)]
    async fn witnesses_that_hang_are_not_taken_for_the_service() {
        assert_eq!(taken_to_be_down(true).await, 0, "those answer that did so before");
        let by_chance = taken_to_be_down(false).await;
        assert!(by_chance <= 2, "{by_chance}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_function_has_its_time_after_the_others() {
        let groups = [(5, Nature::Hangs), (1, SLOW), (100, SOUND), (5, Nature::Hangs)];
        let run = run(&functions(&groups)).await;
        assert!(run.of(SLOW).all(|outcome| outcome.setback.is_none()));
        assert!(run.last(SOUND) < seconds(60), "{:?}", run.last(SOUND));
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_slow_all_are_served() {
        for answers in [Nature::Answers(12_000), SLOW] {
            let run = run(&functions(&[(30, answers)])).await;
            assert!(run.outcomes.iter().all(|outcome| outcome.setback.is_none()), "{answers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_hang_the_service_is_down_within_two_minutes() {
        for functions in [1, 2, 3, 5, 200] {
            let run = run(&vec![Nature::Hangs; functions]).await;
            assert!(run.requester.was_down(), "{functions}");
            assert!(run.took <= seconds(120), "{functions}: {:?}", run.took);
        }
    }

    /// A window that hangs is halved, though the function hung as long as it was asked for.
    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_to_ask_for_is_told_from_a_function_that_hangs() {
        let run = run(&functions(&[(8, Nature::HangsOnMuch), (50, SOUND)])).await;
        let is_part = |outcome: &Outcome| matches!(outcome.setback, Some(Setback::Part(_)));
        assert!(run.of(Nature::HangsOnMuch).all(is_part));
        assert!(run.last(SOUND) < seconds(60), "{:?}", run.last(SOUND));
    }

    /// Functions that fail at once hold no places, but would hold their turns while they wait.
    #[tokio::test(start_paused = true)]
    async fn who_fails_at_once_keeps_nobody_waiting() {
        let run = run(&functions(&[(2, SOUND), (150, Nature::Breaks), (60, SOUND)])).await;
        assert!(run.of(SOUND).all(|outcome| outcome.setback.is_none()));
        assert!(run.last(SOUND) < seconds(40), "{:?}", run.last(SOUND));
        assert!(run.took < seconds(60), "{:?}", run.took);
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_on_behind_the_others_waits_for_them() {
        let line = Line::new(4);
        line.let_in();
        let served = line.turn(urn(0)).await;
        let first = line.place_behind(5).await;
        let mut second = pin!(line.place_behind(3));
        let mut third = pin!(line.place_behind(4));
        assert!(poll_immediate(&mut third).await.is_none(), "one place of four is theirs");
        assert!(poll_immediate(&mut second).await.is_none());
        drop(first);
        assert!(poll_immediate(&mut third).await.is_none(), "another number is less");
        let second = timeout(seconds(1), second).await.unwrap();
        drop(served);
        let third = timeout(seconds(1), third).await.unwrap();
        drop((second, third));

        // Who is dropped while waiting, as by a run that is interrupted, keeps nobody waiting.
        let served = line.turn(urn(0)).await;
        let held = line.place_behind(9).await;
        let mut gone = Box::pin(line.place_behind(1));
        assert!(poll_immediate(&mut gone).await.is_none());
        drop(gone);
        drop(held);
        let next = timeout(seconds(1), line.place_behind(2)).await.unwrap();
        drop((next, served));
        assert_eq!(*line.waiting.borrow(), 0);
        let behind = line.behind.borrow();
        assert!(behind.served == 0 && behind.places == 0 && behind.waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_way_lets_the_next_have_its_turn() {
        let line = Line::new(1);
        let first = line.turn(urn(0)).await;
        let mut second = pin!(line.turn(urn(1)));
        assert!(poll_immediate(&mut second).await.is_none());
        timeout(seconds(1), line.is_wanted()).await.unwrap();
        line.give_way(&urn(0));
        let second = timeout(seconds(1), second).await.unwrap();
        drop(first);
        assert_eq!(line.behind.borrow().served, 1, "its turn was over before");
        assert!(timeout(seconds(1), line.is_wanted()).await.is_err());
        drop(second);
        assert_eq!(line.behind.borrow().served, 0);
    }
}
