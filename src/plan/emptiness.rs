//! When a range that was shown empty is settled.
//!
//! An empty answer looks the same whether nothing happened, or the service hiccuped, or a right was
//! missing. So nothing is settled on the word of one run: a window that was empty is proven, and a
//! later run looks again, which costs nothing where it lies beside what is pending anyway. Empty
//! again, it is settled. Empty where records were shown before, it proves nothing.

use super::ledger::{Entry, State};
use crate::domain::{Interval, IntervalSet, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// What of a function's time was shown empty, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emptiness {
    /// Whether anything is to be confirmed.
    confirms: bool,
    /// What an earlier run found empty when it was old enough to be settled, and no other has
    /// looked at since.
    seen: IntervalSet,
    /// In which windows an earlier run found records, of those that are not settled yet.
    shown: Vec<Interval>,
    /// Records that earlier runs archived.
    archived: Ended,
    /// Records that walks in vain of this run showed.
    ended: Ended,
}

/// From start to end, records that ended for good; of those with one start the shortest. An open
/// one may still leave the window in which it was shown: where lists are by end, it has none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ended(BTreeMap<Timestamp, Interval>);

impl Ended {
    fn learn(&mut self, ended: impl IntoIterator<Item = Interval>) {
        for record in ended {
            let known = self.0.entry(record.begin()).or_insert(record);
            *known = record.min(*known);
        }
    }

    /// Whether a range lists any of them, be it by start or by end.
    fn is_listed_in(&self, range: Interval) -> bool {
        self.0.range(range.begin()..range.end()).any(|(_, record)| range.covers(*record))
    }
}

impl Emptiness {
    /// What the ledger of a function tells, by which a window may change until so long after its
    /// end.
    pub fn of(ledger: &[Entry], settle_delay: Duration) -> Self {
        let seen = awaiting(ledger, settle_delay).collect();
        let holds = |row: &&Entry| {
            matches!(row.state, State::Proven(_)) && row.distinct > 0 && row.pages > 0
        };
        let shown = ledger.iter().filter(holds).map(|row| row.window).collect();
        Self { confirms: true, seen, shown, ..Self::default() }
    }

    /// Learns of records that earlier runs archived as ended for good, from start to end.
    pub fn learn_archived(&mut self, ended: impl IntoIterator<Item = Interval>) {
        self.archived.learn(ended);
    }

    /// Learns of records that this run was shown, and that ended for good, from start to end.
    pub fn learn(&mut self, ended: impl IntoIterator<Item = Interval>) {
        self.ended.learn(ended);
    }

    /// Whether a window cannot be empty: since `kept`, from when on the service must still show
    /// everything, an earlier run found records in it, or this one was shown some. Or since
    /// `believed`, from when on an empty answer is believed, there are archived records: these are
    /// hidden, or forgotten, and others may be so with them.
    ///
    /// One of several may be filed elsewhere by now; that nothing is left tells of the answer.
    pub fn contradicts(&self, window: Interval, kept: Timestamp, believed: Timestamp) -> bool {
        let since = |from: Timestamp| Interval::new(window.begin().max(from), window.end());
        let is_shown = |part: Interval| {
            self.shown.iter().any(|shown| part.covers(*shown)) || self.ended.is_listed_in(part)
        };
        since(kept).is_some_and(is_shown)
            || since(believed).is_some_and(|part| self.archived.is_listed_in(part))
    }

    /// Whether an earlier run found all of a window empty.
    pub fn was_seen(&self, window: Interval) -> bool {
        self.seen.covers(window)
    }

    /// The parts of a range that an earlier run found empty.
    pub fn seen_in(&self, range: Interval) -> Vec<Interval> {
        self.seen.iter().filter_map(|seen| seen.intersect(range)).collect()
    }

    /// The parts of these ranges that no earlier run found empty.
    pub fn unseen(&self, ranges: &[Interval]) -> Vec<Interval> {
        ranges.iter().flat_map(|&range| self.seen.gaps_in(range)).collect()
    }

    /// The start of a window that an earlier run found empty as a whole or not at all.
    pub fn uniform(&self, window: Interval) -> Interval {
        self.seen.uniform_start(window)
    }

    /// What an empty walk leaves to another run, of what it could settle. What was young when it
    /// was found empty tells nothing: its records may have come since.
    pub fn unconfirmed(&self, settled: Interval) -> Vec<Interval> {
        if self.confirms { self.seen.gaps_in(settled) } else { Vec::new() }
    }
}

/// The ranges that wait for another run to look at them, earliest first. What was younger than the
/// settle delay when it was walked waits for records that come late, and is walked again anyway.
fn awaiting(ledger: &[Entry], settle_delay: Duration) -> impl Iterator<Item = Interval> {
    let waits = move |row: &&Entry| is_empty(row) && row.was_old_enough(settle_delay);
    ledger.iter().filter(waits).map(|row| row.window)
}

/// Whether a walk proved a window empty. A part of a row has no pages of its own.
fn is_empty(row: &Entry) -> bool {
    matches!(row.state, State::Proven(_)) && row.distinct == 0 && row.pages > 0
}

/// The ranges among those that wait which a run leaves to the ones after it, of a function that was
/// taken up at `taken_up_at`.
///
/// What came after that lies beside what is pending anyway. Of what came before, a run looks at
/// one, the youngest, since that is what the service still shows most likely. So a quiet function
/// costs a run one request more, for as many runs as its first run left empty windows: one, unless
/// it reached back further than the service can be asked for at once.
pub fn deferred(ledger: &[Entry], taken_up_at: Timestamp, settle_delay: Duration) -> Vec<Interval> {
    let mut ranges: Vec<Interval> =
        awaiting(ledger, settle_delay).filter(|range| range.end() < taken_up_at).collect();
    ranges.pop();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::paging::Proof;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn range(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    fn row(begin: i64, end: i64, state: State, distinct: u64) -> Entry {
        let (window, reported) = (range(begin, end), Some(distinct));
        Entry { window, state, reported, distinct, pages: 1, walked_at: at(1_001), reason: None }
    }

    const DELAY: Duration = Duration::from_secs(100);
    const PROVEN: State = State::Proven(Proof::Both);
    const SETTLED: State = State::Settled(Proof::Both);

    /// Taken up at 1,000, with a settle delay of 100.
    fn ledger() -> Vec<Entry> {
        vec![
            row(0, 200, PROVEN, 0),
            row(200, 400, SETTLED, 7),
            row(400, 600, PROVEN, 0),
            Entry { pages: 0, ..row(600, 700, PROVEN, 0) },
            row(700, 800, PROVEN, 3),
            row(800, 900, State::Unproven, 0),
            Entry { walked_at: at(1_000), ..row(900, 1_000, PROVEN, 0) },
        ]
    }

    #[test]
    fn where_a_record_was_shown_that_the_service_keeps_nothing_is_empty() {
        let mut emptiness = Emptiness::of(&ledger(), DELAY);
        let contradicted = |emptiness: &Emptiness, begin, end, from| {
            emptiness.contradicts(range(begin, end), at(from), at(9_999))
        };
        assert!(!contradicted(&emptiness, 200, 400, 0));
        emptiness.learn([range(300, 320), range(300, 311), range(300, 330)]);
        assert!(contradicted(&emptiness, 200, 400, 0) && contradicted(&emptiness, 300, 311, 300));
        assert!(!contradicted(&emptiness, 200, 310, 0), "it may be listed by its end");
        assert!(!contradicted(&emptiness, 301, 400, 0) && !contradicted(&emptiness, 200, 300, 0));
        assert!(!contradicted(&emptiness, 200, 400, 301), "it may be forgotten by now");
        assert!(!contradicted(&emptiness, 200, 400, 400), "all of it may be forgotten");
        // What is archived counts wherever an empty answer would be believed.
        let mut archived = Emptiness::default();
        archived.learn_archived([range(300, 320)]);
        let believed = |from| archived.contradicts(range(200, 400), at(9_999), at(from));
        assert!(believed(0) && believed(300) && !believed(301));
        // Of a window with several records, one may have moved within it.
        assert!(contradicted(&emptiness, 700, 800, 700) && !contradicted(&emptiness, 750, 800, 0));
    }

    #[test]
    fn what_the_first_run_found_empty_waits_for_another_and_what_is_young_does_not() {
        let emptiness = Emptiness::of(&ledger(), DELAY);
        assert_eq!(emptiness.seen_in(range(0, 2_000)), [range(0, 200), range(400, 600)]);
        assert!(emptiness.was_seen(range(450, 550)) && !emptiness.was_seen(range(450, 650)));
        assert_eq!(
            deferred(&ledger(), at(1_000), DELAY),
            [range(0, 200)],
            "the youngest is looked at first"
        );
        assert_eq!(
            deferred(&ledger(), at(500), DELAY),
            [],
            "what came after the function was taken up"
        );
    }

    #[test]
    fn an_empty_walk_settles_what_was_empty_before_and_leaves_the_rest_to_another() {
        let second = Emptiness::of(&ledger(), DELAY);
        assert_eq!(second.unconfirmed(range(400, 600)), []);
        assert_eq!(second.unconfirmed(range(300, 700)), [range(300, 400), range(600, 700)]);
        assert_eq!(
            second.unconfirmed(range(650, 1_100)),
            [range(650, 1_100)],
            "what was young may have had records since"
        );
        assert_eq!(
            second.unconfirmed(range(1_000, 1_100)),
            [range(1_000, 1_100)],
            "nobody looked at it before"
        );
        let first = Emptiness::of(&[], DELAY);
        assert_eq!(first.unconfirmed(range(0, 900)), [range(0, 900)]);
        assert_eq!(Emptiness::default().unconfirmed(range(0, 900)), []);
    }
}
