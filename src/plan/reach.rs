//! How far back the service still shows records, as far as that is known.
//!
//! The service forgets, and documents no retention. An empty answer about a time it has forgotten
//! looks like an empty window, so a range that was pending for long is believed only where
//! something shows that the service still reaches it: a record, by its latest time, since what
//! expires is the newest event of it. Everything younger is then shown too.

use super::clocks::{Moment, TOLERANCE};
use super::ledger::{Entry, State};
use crate::domain::{Interval, IntervalSet, Invocation, Page, RecordTime, RequestId, Timestamp};
use std::time::Duration;

/// What the service certainly still shows: the shortest retention that the store behind it can be
/// set to (vendor's page on LTS, `CreateLogGroup`: 1 to 365 days).
pub const LEAST_REACH: Duration = Duration::from_hours(24);

/// An archived record by which to ask whether the service still shows its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachProbe {
    /// Its id.
    pub request_id: RequestId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// How far back the service reaches, at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The age of the oldest record that was shown, in seconds of the machine's clock. That clock
    /// may be wrong, and the age negative: what counts is how it runs within a run, which tells
    /// when the service forgets that record.
    by_machine: Option<i64>,
    /// The same age by the earlier of the clocks.
    shown: Duration,
}

impl Reach {
    /// Learns from the records of a page that was shown at `seen_at`.
    pub fn learn_from(&mut self, page: &Page, seen_at: Moment) {
        page.records.iter().for_each(|record| self.learn(record, seen_at));
    }

    /// Learns from a record that was shown at `seen_at`.
    ///
    /// One that has not ended tells nothing: a service may keep it for as long as it is open. Nor
    /// does one whose end is not shown: it is kept from its end on, however long ago it began.
    fn learn(&mut self, record: &Invocation, seen_at: Moment) {
        let has_end = record.end_time.as_ref().and_then(RecordTime::moment).is_some();
        if record.status.is_final()
            && has_end
            && let Some(latest) = latest_time(record)
        {
            self.by_machine =
                self.by_machine.max(Some(seen_at.after_machine().seconds_since(latest)));
            let age = u64::try_from(seen_at.earlier().seconds_since(latest)).unwrap_or(0);
            self.shown = self.shown.max(Duration::from_secs(age));
        }
    }

    /// The earliest moment that the service certainly reached at `now`, whichever clock is right.
    pub fn begin(self, now: Moment) -> Timestamp {
        self.from(now, now.later())
    }

    /// What came before this moment, the service did not certainly reach at `now`, whichever clock
    /// is right.
    pub fn end(self, now: Moment) -> Timestamp {
        self.from(now, present_of_loss(now))
    }

    fn from(self, now: Moment, present: Timestamp) -> Timestamp {
        let certain = present - LEAST_REACH;
        self.by_machine
            .map_or(certain, |age| certain.min(Timestamp::from_unix(now.by_machine().unix() - age)))
    }

    /// The age of the oldest record that was shown; none where that is less than what is certain
    /// anyway.
    pub fn shown(self) -> Option<Duration> {
        (self.shown > LEAST_REACH).then_some(self.shown)
    }

    /// Whether the service certainly reached all of a range at `now`.
    pub fn covers(self, range: Interval, now: Moment) -> bool {
        self.begin(now) <= range.begin()
    }
}

/// The present by which something is too old to be shown: by both clocks, which is by either where
/// they agree. A range as short as they may differ by is then lost, rather than for ever neither
/// lost nor complete.
fn present_of_loss(now: Moment) -> Timestamp {
    if now.is_agreed() { now.later() } else { now.earlier() }
}

/// For how long after a proven walk a range is believed without another sign. A record that the
/// walk did not show came after it, and is shown for [`LEAST_REACH`]; half of that leaves the other
/// half to records that come late.
const WALK_VOUCHES_FOR: Duration = Duration::from_hours(12);

/// What was promised of a function's time: of that, what the service no longer shows is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Obligation {
    /// From when on; none where nothing is promised yet, whichever clock is right.
    from: Option<Timestamp>,
    /// Whether it is promised by both clocks: by one alone, nothing is called lost.
    is_certain: bool,
    /// What a recent proven walk vouches for, or that there was no such function, whatever the
    /// service reaches.
    vouched: IntervalSet,
}

impl Obligation {
    /// The obligation of a ledger, by which a function is archived since `first_run_at`.
    ///
    /// Nothing is promised until [`LEAST_REACH`] after that: the first run takes what the service
    /// still shows, and one that was interrupted goes on with it. Later, what it left behind may
    /// have been forgotten meanwhile.
    pub fn of(ledger: &[Entry], first_run_at: Timestamp, now: Moment) -> Self {
        let is_young = |present: Timestamp| present < first_run_at + LEAST_REACH;
        let from =
            ledger.first().filter(|_| !is_young(now.later())).map(|first| first.window.begin());
        // A walk that a clock dates after the present happened nobody knows when.
        let is_recent =
            |at: Timestamp| now.later() < at + WALK_VOUCHES_FOR && at <= now.earlier() + TOLERANCE;
        let is_fresh =
            |row: &&Entry| matches!(row.state, State::Proven(_)) && is_recent(row.walked_at);
        let vouched = ledger.iter().filter(is_fresh).map(|row| row.window).collect();
        Self { from, is_certain: !is_young(present_of_loss(now)), vouched }
    }

    /// The same, of a function that was seen not to be there in these ranges: nothing can have
    /// happened in them that the service no longer shows.
    #[must_use]
    pub fn but_for(mut self, absences: impl IntoIterator<Item = Interval>) -> Self {
        absences.into_iter().for_each(|absence| self.vouched.insert(absence));
        self
    }

    /// The earliest moment of a window from which on a walk at `now` is believed.
    pub fn believed_from(&self, window: Interval, reach: Reach, now: Moment) -> Timestamp {
        if self.is_in_doubt(window) { reach.begin(now).max(window.begin()) } else { window.begin() }
    }

    /// Until when a window is lost for a walk at `now`: what both clocks call too old for the
    /// service to show it.
    pub fn lost_until(&self, window: Interval, reach: Reach, now: Moment) -> Timestamp {
        if self.is_in_doubt(window) && self.is_certain {
            reach.end(now).max(window.begin())
        } else {
            window.begin()
        }
    }

    /// Whether a window was promised, and nothing but the service's reach tells whether it is still
    /// shown.
    fn is_in_doubt(&self, window: Interval) -> bool {
        let is_promised = self.from.is_some_and(|from| from <= window.begin());
        is_promised && !self.vouched.covers(window)
    }

    /// Whether a walk at `now` is believed of all of a window.
    pub fn believes(&self, window: Interval, reach: Reach, now: Moment) -> bool {
        self.believed_from(window, reach, now) <= window.begin()
    }

    /// The start of a window that is vouched for as a whole or not at all, where it takes that to
    /// believe it.
    pub fn uniform(&self, window: Interval, reach: Reach, now: Moment) -> Interval {
        if reach.covers(window, now) { window } else { self.vouched.uniform_start(window) }
    }

    /// The first part of what is pending that a walk at `now` would not be believed of, for all
    /// that is known.
    pub fn doubtful(&self, pending: &[Interval], now: Moment) -> Option<Interval> {
        let reach = Reach::default();
        let mut parts = pending.iter().flat_map(|&range| self.parts(range, reach, now));
        parts.find(|&part| !self.believes(part, reach, now))
    }

    /// A range in its [`Self::uniform`] parts.
    fn parts(&self, range: Interval, reach: Reach, now: Moment) -> Vec<Interval> {
        let mut parts = Vec::new();
        let mut rest = Some(range);
        while let Some(range) = rest {
            let part = self.uniform(range, reach, now);
            parts.push(part);
            rest = range.split_at(part.end()).1;
        }
        parts
    }
}

/// What a day's answers tell of the reach, for people to plan by: how long an outage may last. A
/// walk is never believed by it, since the service may have been set to forget sooner a moment ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// The age of the oldest record that was shown; none where only what is certain anyway was.
    pub shown: Option<Duration>,
    /// The age of the youngest archived record that was asked for and is shown no more.
    pub forgotten: Option<Duration>,
}

impl Measured {
    /// How far back the service reaches, at least.
    pub fn least(self) -> Duration {
        self.shown.map_or(LEAST_REACH, |shown| shown.max(LEAST_REACH))
    }

    /// The age of an archived record whose look-up would tell more; none once the reach is known
    /// within a quarter.
    ///
    /// First what was shown, and was not, on the day `before`; then twice as old each time until
    /// one is forgotten, and then in between.
    pub fn next_age(self, before: Self) -> Option<Duration> {
        let shown = self.least();
        let older = |age: &Duration| shown < *age;
        match self.forgotten {
            None => {
                let again = before.shown.filter(older).or(before.forgotten.filter(older));
                Some(again.unwrap_or(shown * 2))
            }
            Some(forgotten) if forgotten <= shown + shown / 4 => None,
            Some(forgotten) => Some((shown + forgotten) / 2),
        }
    }
}

/// The latest time a record carries: the earliest moment at which it can have expired counts from
/// there.
fn latest_time(record: &Invocation) -> Option<Timestamp> {
    let moment = |time: &Option<RecordTime>| time.as_ref().and_then(RecordTime::moment);
    moment(&record.start_time).max(moment(&record.end_time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;
    use crate::plan::clocks::{Answered, ServiceClock};
    use crate::plan::paging::Proof;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_unix(hour * 3600)
    }

    fn now(hour: i64) -> Moment {
        at(hour).into()
    }

    fn record(start: i64, end: Option<i64>) -> Invocation {
        Invocation {
            request_id: RequestId::new("a").unwrap(),
            status: Status::Success,
            error_code: None,
            error_message: None,
            start_time: Some(RecordTime::At(at(start))),
            end_time: end.map(|end| RecordTime::At(at(end))),
            extra: None,
        }
    }

    #[test]
    fn while_a_function_was_seen_not_to_be_there_nothing_of_it_is_lost() {
        let row = Entry {
            window: Interval::new(at(0), at(100)).unwrap(),
            state: State::Settled(Proof::Both),
            reported: None,
            distinct: 0,
            pages: 1,
            walked_at: at(100),
            reason: None,
        };
        let obligation = Obligation::of(&[row], at(0), now(600));
        let (absence, after) =
            (Interval::new(at(100), at(500)).unwrap(), Interval::new(at(500), at(550)).unwrap());
        let lost = |obligation: &Obligation, range| {
            obligation.lost_until(range, Reach::default(), now(600)) > range.begin()
        };
        assert!(lost(&obligation, absence) && lost(&obligation, after));
        let obligation = obligation.but_for([absence]);
        assert!(!lost(&obligation, absence) && lost(&obligation, after));
    }

    #[test]
    fn a_record_shows_the_reach_by_its_latest_time() {
        let now = Moment::from(at(1_000));
        let mut reach = Reach::default();
        assert_eq!(reach.begin(now), at(976));
        reach.learn(&record(900, Some(950)), now);
        assert_eq!(reach.begin(now), at(950), "its start may be older than what the service keeps");
        reach.learn(&record(990, None), now);
        assert_eq!(reach.begin(now), at(950), "a younger record takes nothing back");
        assert!(reach.covers(Interval::new(at(950), at(951)).unwrap(), now));
        assert!(!reach.covers(Interval::new(at(949), at(951)).unwrap(), now));
        assert_eq!(reach.begin(at(1_010).into()), at(960), "the reach moves on with the clock");
        reach.learn(&record(2_000, None), now);
        assert_eq!(reach.begin(now), at(950), "nor does one from the future");
        reach.learn(&record(900, None), now);
        assert_eq!(reach.begin(now), at(950), "its end may be what is kept");
        reach.learn(&Invocation { status: Status::Running, ..record(100, None) }, now);
        assert_eq!(reach.begin(now), at(950), "a record may be kept for as long as it is open");
        reach.learn(&record(100, None), now);
        assert_eq!(reach.begin(now), at(950), "and one that has ended from its end on");
    }

    /// Asks as long as a service that reaches so far back tells more; what is known then, and after
    /// how many questions.
    fn measure(reach: u64, before: Measured) -> (Measured, u32) {
        let (mut measured, mut asked) = (Measured::default(), 0);
        while let Some(age) = measured.next_age(before) {
            asked += 1;
            assert!(asked < 30, "it does not end: {measured:?}");
            if age <= Duration::from_hours(reach) {
                assert!(measured.shown < Some(age), "asked for less than is known");
                measured.shown = Some(age);
            } else {
                assert!(
                    measured.forgotten.is_none_or(|forgotten| age < forgotten),
                    "asked for more than is known"
                );
                measured.forgotten = Some(age);
            }
        }
        (measured, asked)
    }

    #[test]
    fn the_reach_is_found_by_doubling_and_halving_and_confirmed_the_next_day() {
        for reach in [24, 25, 30, 72, 100, 168, 720, 8_760] {
            let (found, asked) = measure(reach, Measured::default());
            let (least, most) = (found.least(), found.forgotten.unwrap());
            assert!(
                least <= Duration::from_hours(reach) && Duration::from_hours(reach) < most,
                "{reach}: {found:?}"
            );
            assert!(most <= least + least / 4 && asked <= 12, "{reach}: {found:?} after {asked}");
            assert!(measure(reach, found).1 <= 2, "{reach}: the same is confirmed by two");
            let (less, _) = measure(reach / 2, found);
            assert!(less.least() <= Duration::from_hours(reach.max(48) / 2), "{reach}: {less:?}");
        }
    }

    fn range(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    fn row(begin: i64, end: i64, walked_at: i64, state: State) -> Entry {
        let (window, walked_at) = (range(begin, end), at(walked_at));
        Entry { window, state, reported: None, distinct: 0, pages: 1, walked_at, reason: None }
    }

    const SETTLED: State = State::Settled(Proof::Both);
    const PROVEN: State = State::Proven(Proof::Both);

    #[test]
    fn an_outage_longer_than_the_reach_is_in_doubt() {
        let obligation = Obligation::of(&[row(0, 500, 500, SETTLED)], at(500), now(540));
        assert_eq!(obligation.doubtful(&[range(500, 540)], now(540)), Some(range(500, 540)));
        assert_eq!(obligation.believed_from(range(500, 540), Reach::default(), now(540)), at(516));
        assert_eq!(
            obligation.doubtful(&[range(520, 540)], now(540)),
            None,
            "the service certainly reaches a day"
        );
    }

    #[test]
    fn what_the_first_run_left_is_taken_as_it_is_for_a_day() {
        let ledger = [row(100, 300, 1_000, SETTLED)];
        let left = [range(300, 1_001)];
        assert_eq!(
            Obligation::of(&ledger, at(1_000), now(1_001)).doubtful(&left, now(1_001)),
            None
        );
        assert_eq!(
            Obligation::of(&ledger, at(1_000), now(1_024)).doubtful(&left, now(1_024)),
            Some(left[0])
        );
        assert_eq!(
            Obligation::of(&[], at(0), now(1_024)).doubtful(&left, now(1_024)),
            None,
            "nothing was promised"
        );
        let before = [range(50, 100)];
        assert_eq!(
            Obligation::of(&ledger, at(0), now(1_024)).doubtful(&before, now(1_024)),
            None,
            "nor was this"
        );
    }

    /// With a settle delay of days, the young are walked again and again, and nobody may be there
    /// to show the reach.
    #[test]
    fn a_recent_proven_walk_vouches_for_its_window() {
        let ledger =
            [row(0, 500, 600, SETTLED), row(500, 540, 599, PROVEN), row(540, 600, 580, PROVEN)];
        let obligation = Obligation::of(&ledger, at(0), now(605));
        assert_eq!(
            obligation.doubtful(&[range(500, 605)], now(605)),
            Some(range(540, 605)),
            "walked too long ago"
        );
        assert!(obligation.believes(range(500, 540), Reach::default(), now(605)));
        assert_eq!(
            obligation.uniform(range(500, 605), Reach::default(), now(605)),
            range(500, 540)
        );
        assert_eq!(
            obligation.uniform(range(520, 530), Reach::default(), now(605)),
            range(520, 530)
        );
        let rows = [row(0, 500, 600, SETTLED), row(500, 540, 580, PROVEN)];
        let until = |hour| Obligation::of(&rows, at(0), now(hour));
        assert!(until(591).believes(range(500, 540), Reach::default(), now(591)));
        assert!(
            !until(592).believes(range(500, 540), Reach::default(), now(592)),
            "for twelve hours"
        );
        let unproven = [row(0, 500, 600, SETTLED), row(500, 540, 599, State::Unproven)];
        let obligation = Obligation::of(&unproven, at(0), now(605));
        assert_eq!(obligation.doubtful(&[range(500, 605)], now(605)), Some(range(500, 605)));
    }

    /// The machine's clock at one hour, the service's at another.
    fn apart(machine: i64, service: i64) -> Moment {
        let mut clock = ServiceClock::default();
        clock.learn(Answered { sent: at(machine), received: at(machine), date: Some(at(service)) });
        clock.at(at(machine))
    }

    #[test]
    fn between_clocks_that_disagree_nothing_is_believed_and_nothing_lost() {
        let ledger = [row(0, 500, 500, SETTLED)];
        let pending = range(500, 540);
        for now in [apart(540, 600), apart(600, 540)] {
            let obligation = Obligation::of(&ledger, at(0), now);
            assert_eq!(
                obligation.lost_until(pending, Reach::default(), now),
                at(516),
                "older by both than is shown"
            );
            assert_eq!(
                obligation.believed_from(pending, Reach::default(), now),
                at(576),
                "younger by both"
            );
        }
        let young = Obligation::of(&ledger, at(500), apart(520, 600));
        assert_eq!(
            young.lost_until(pending, Reach::default(), apart(520, 600)),
            pending.begin(),
            "promised by one alone"
        );
        assert_eq!(young.believed_from(pending, Reach::default(), apart(520, 600)), at(576));
    }

    #[test]
    fn between_clocks_that_agree_nothing_is_left_that_is_neither_believed_nor_lost() {
        let pending = range(500, 540);
        for (machine, ahead, first_run) in [(540, 120, 0), (540, -120, 0), (524, 2, 500)] {
            let mut clock = ServiceClock::default();
            let sent = at(machine);
            clock.learn(Answered {
                sent,
                received: sent,
                date: Some(Timestamp::from_unix(sent.unix() + ahead)),
            });
            let now = clock.at(sent);
            let obligation = Obligation::of(&[row(0, 500, 500, SETTLED)], at(first_run), now);
            let from = obligation.believed_from(pending, Reach::default(), now);
            assert_eq!(
                obligation.lost_until(pending, Reach::default(), now),
                from,
                "{machine} {ahead}"
            );
            assert_eq!(
                from,
                Timestamp::from_unix(at(machine - 24).unix() + ahead.max(0)),
                "{machine} {ahead}"
            );
        }
    }

    #[test]
    fn a_record_shows_the_reach_whatever_a_clock_says() {
        for now in [
            apart(540, 540),
            apart(9_000, 540),
            apart(540, 9_000),
            apart(540, 100),
            apart(100, 540),
        ] {
            let mut reach = Reach::default();
            reach.learn(&record(480, Some(490)), now);
            assert_eq!(reach.end(now).max(at(490)), at(490), "{now:?}");
            assert!(reach.begin(now) <= at(490) && at(76) <= reach.begin(now), "{now:?}");
        }
        let mut reach = Reach::default();
        reach.learn(&record(480, Some(490)), apart(9_000, 540));
        assert_eq!(
            reach.shown(),
            Some(Duration::from_hours(50)),
            "what is kept of it is the least"
        );
    }

    #[test]
    fn a_walk_that_is_dated_after_the_present_vouches_for_nothing() {
        let ledger = [row(0, 500, 600, SETTLED), row(500, 540, 9_000, PROVEN)];
        let obligation = Obligation::of(&ledger, at(0), now(605));
        assert_eq!(obligation.doubtful(&[range(500, 605)], now(605)), Some(range(500, 605)));
    }
}
