//! The service of a world, as `sync` sees it: answers after a while, by the readings and faults of
//! the seed, and keeps a log of every call.

use crate::dice::{Draw, dice};
use crate::functions::Naming;
use crate::readings::{CountReading, Down, Faults, Forbidden, Lengths, Readings};
use crate::schedule::{Clocks, Planned};
use crate::showing::Fields;
use crate::world::{Record, Stage, World};
use fastrand::Rng;
use fgarchive::api::{CallFailure, Meaning};
use fgarchive::clock::Clock;
use fgarchive::domain::{
    EntryKey, FunctionPage, FunctionUrn, Interval, Marker, Page, PageQuery, Reject, RequestId,
    Status, Timestamp,
};
use fgarchive::plan::functions::Project;
use fgarchive::sync::Source;
use std::collections::HashSet;
use std::fmt;
use std::iter;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// No honest run of a small world asks more; one that does is stopped and found.
pub(crate) const MOST_REQUESTS: usize = 20_000;

/// How long a request waits for an answer by default.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    List { function: usize, begin: i64, end: i64, marker: u64 },
    Find { function: usize, id: RequestId, begin: i64, end: i64 },
    Recording { function: usize },
    Functions,
    Renew,
}

impl Asked {
    /// Whether it is something that is not to be seen.
    fn is_of(&self, forbidden: &Forbidden) -> bool {
        match (self, forbidden) {
            (Self::Renew, _) | (Self::Functions, Forbidden::Functions(_)) => false,
            (_, Forbidden::All) => true,
            (
                Self::List { function, .. }
                | Self::Find { function, .. }
                | Self::Recording { function },
                Forbidden::Functions(functions),
            ) => functions.contains(function),
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Not, as far as the caller knows.
    Nothing,
    Records {
        shown: usize,
        served_at: i64,
    },
    Done,
    Failed(Meaning),
}

/// One call, times in milliseconds since the epoch.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) run: usize,
    pub(crate) asked: Asked,
    pub(crate) sent: i64,
    pub(crate) answered: i64,
    pub(crate) token: u32,
    pub(crate) answer: Answered,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |seconds: i64| Timestamp::from_unix(seconds);
        let Self { run, sent, answered, answer, .. } = self;
        write!(
            f,
            "run {run:2}  {}.{:03} +{:5} ms  ",
            time(sent / 1000),
            sent % 1000,
            (answered - sent).max(0)
        )?;
        match &self.asked {
            Asked::List { function, begin, end, marker } => {
                write!(f, "list f{function} {} {} at {marker}", time(*begin), time(*end))?;
            }
            Asked::Find { function, id, begin, end } => {
                write!(f, "find f{function} {id} {} {}", time(*begin), time(*end))?;
            }
            Asked::Recording { function } => write!(f, "recording f{function}")?,
            Asked::Functions => write!(f, "functions")?,
            Asked::Renew => write!(f, "renew")?,
        }
        match answer {
            Answered::Records { shown, served_at } => {
                write!(f, ": {shown} as of {}", time(*served_at))
            }
            other => write!(f, ": {other:?}"),
        }
    }
}

/// One record on an answer that reached the caller.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) function: usize,
    pub(crate) record: usize,
    pub(crate) fields: Fields,
    pub(crate) status: Status,
    /// The second it was served, and the place among all calls that were answered.
    pub(crate) served_at: i64,
}

/// When a run is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The process is killed while this request is under way.
    KilledAtRequest(usize),
    /// The process is killed when the committing loop was woken so often.
    KilledAtWake(usize),
    /// A person presses Ctrl-C while this request is under way.
    CancelledAtRequest(usize),
}

/// What changes from run to run.
#[derive(Debug)]
struct Session {
    run: usize,
    began: Instant,
    began_at: i64,
    requests: usize,
    windows: usize,
    faults: Faults,
    cut: Option<Cut>,
    cancel: CancellationToken,
    skew: i64,
    clocks: Clocks,
    date_dice: Rng,
    clock: Clock,
}

#[derive(Debug)]
struct State {
    dice: Rng,
    /// Of its own, so that how functions are listed leaves all other draws as they are.
    naming_dice: Rng,
    session: Option<Session>,
    token: u32,
    token_until: i64,
    calls: Vec<Call>,
    shown: Vec<Shown>,
    /// The records that an answer has spoilt.
    spoilt: HashSet<usize>,
}

/// The service of one schedule.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) world: World,
    pub(crate) readings: Readings,
    pub(crate) naming: Naming,
    pub(crate) killed: Notify,
    state: Mutex<State>,
}

/// How a request shall end.
enum Fate {
    Served,
    Failed(Meaning, Option<u16>),
    Never,
}

/// Whether the pages of a record whose pages fail do so by a 404, the service's own or that of a
/// gateway: then each form of the URN is doubted.
pub(crate) fn is_bad_by_404(record: usize) -> bool {
    record % 5 >= 3
}

impl Service {
    pub(crate) fn new(world: World, readings: Readings, naming: Naming, seed: u64) -> Self {
        let state = State {
            dice: dice(seed, "service"),
            naming_dice: dice(seed, "naming"),
            session: None,
            token: 0,
            token_until: i64::MAX,
            calls: Vec::new(),
            shown: Vec::new(),
            spoilt: HashSet::new(),
        };
        Self { world, readings, naming, killed: Notify::new(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while the state is held")
    }

    /// A run begins at this second, on a machine whose clock is off by `skew`.
    pub(crate) fn begin(&self, run: usize, planned: &Planned) -> (Clock, CancellationToken) {
        let Planned { at, skew, clocks, ref faults, cut } = *planned;
        let clock = Clock::unreliable(Timestamp::from_unix(at + skew));
        let cancel = CancellationToken::new();
        let mut state = self.state();
        state.token_until = faults.token_life.map_or(i64::MAX, |life| (at + life) * 1000);
        state.session = Some(Session {
            run,
            began: Instant::now(),
            began_at: at * 1000,
            requests: 0,
            windows: 0,
            faults: faults.clone(),
            cut,
            cancel: cancel.clone(),
            skew,
            clocks,
            date_dice: Rng::with_seed(run as u64),
            clock: clock.clone(),
        });
        (clock, cancel)
    }

    /// The present in milliseconds; the run's clock follows.
    pub(crate) fn now(&self) -> i64 {
        let state = self.state();
        let session = state.session.as_ref().expect("a run");
        let now = session.began_at
            + i64::try_from(session.began.elapsed().as_millis()).expect("a short run");
        let jumped = |&(after, _): &(i64, i64)| now >= session.began_at + after * 1000;
        let jump = session.clocks.jump.filter(jumped).map_or(0, |(_, by)| by);
        session.clock.set(Timestamp::from_unix(now / 1000 + session.skew + jump));
        now
    }

    /// Everything called and shown since the last time.
    pub(crate) fn take_log(&self) -> (Vec<Call>, Vec<Shown>) {
        let mut state = self.state();
        (std::mem::take(&mut state.calls), std::mem::take(&mut state.shown))
    }

    /// Notes a request, and decides how long it takes until it is served and answered.
    fn send(&self, asked: Asked) -> (usize, Fate, Duration, Duration) {
        let now = self.now();
        let state = &mut *self.state();
        let session = state.session.as_mut().expect("a run");
        let number = session.requests;
        session.requests += 1;
        let mut fate = fate(&mut state.dice, &session.faults, &asked);
        if session.faults.denied_at == Some(number) {
            fate = Fate::Failed(Meaning::Denied, Some(401));
        }
        let forbidden = session.faults.forbidden.as_ref().filter(|(from, _)| *from <= number);
        if forbidden.is_some_and(|(_, forbidden)| asked.is_of(forbidden)) {
            fate = Fate::Failed(Meaning::Forbidden, Some(403));
        }
        let runaway = (number >= MOST_REQUESTS).then_some(Cut::KilledAtRequest(number));
        match runaway.or(session.cut) {
            Some(Cut::KilledAtRequest(at)) if at == number => {
                self.killed.notify_one();
                fate = Fate::Never;
            }
            Some(Cut::CancelledAtRequest(at)) if at == number => session.cancel.cancel(),
            _ => {}
        }
        let token = state.token;
        if now >= state.token_until && asked != Asked::Renew && matches!(fate, Fate::Served) {
            fate = Fate::Failed(Meaning::TokenExpired, Some(401));
        }
        let down =
            session.faults.down_from.filter(|(from, _)| *from <= number).map(|(_, down)| down);
        let longest = if state.dice.percent(session.faults.slow) { 8_000 } else { 300 };
        let (before, after) = (state.dice.u64(5..longest), state.dice.u64(5..150));
        let (run, sent) = (session.run, now);
        let id = state.calls.len();
        state.calls.push(Call {
            run,
            asked,
            sent,
            answered: i64::MAX,
            token,
            answer: Answered::Nothing,
        });
        let (before, after) = (Duration::from_millis(before), Duration::from_millis(after));
        match down {
            _ if matches!(fate, Fate::Never) => (id, fate, before, after),
            None => (id, fate, before, after),
            Some(Down::Refuses) => {
                (id, Fate::Failed(Meaning::Unreachable, None), Duration::ZERO, Duration::ZERO)
            }
            Some(Down::Unavailable) => (
                id,
                Fate::Failed(Meaning::Unavailable { retry_after: None }, Some(503)),
                before,
                after,
            ),
            Some(Down::Silent) => {
                (id, Fate::Failed(Meaning::Timeout, None), TIMEOUT, Duration::ZERO)
            }
        }
    }

    fn answer(&self, call: usize, answer: Answered) {
        let now = self.now();
        let call = &mut self.state().calls[call];
        call.answered = now;
        call.answer = answer;
    }

    fn deliver(&self, call: usize, served: &Served) -> Page {
        self.answer(
            call,
            Answered::Records { shown: served.page.keys.len(), served_at: served.at },
        );
        self.state().shown.extend(served.shown.iter().cloned());
        served.page.clone()
    }

    fn fail(&self, call: usize, meaning: Meaning, status: Option<u16>) -> CallFailure {
        self.answer(call, Answered::Failed(meaning));
        CallFailure { status, ..CallFailure::new("ask the world", meaning) }
    }

    /// The service's clock as it dates an answer, if it does.
    fn date(&self, now: i64) -> Option<Timestamp> {
        let mut state = self.state();
        let Some(session) = state.session.as_mut() else { return Some(Timestamp::from_unix(now)) };
        let (percent, by) = session.clocks.strays;
        let is_stray = session.date_dice.percent(f64::from(percent));
        let off = session.clocks.date + if is_stray { by } else { 0 };
        (!session.clocks.is_undated).then(|| Timestamp::from_unix(now + off))
    }

    fn number_of(&self, urn: &FunctionUrn) -> usize {
        self.world.functions.iter().position(|known| known == urn).expect("a function of the world")
    }

    /// The moment an answer speaks of: the present, or for a copy that is behind a little earlier.
    fn as_of(&self, now: i64) -> i64 {
        let (percent, most) = self.readings.stale;
        let dice = &mut self.state().dice;
        if percent > 0.0 && dice.percent(percent) { now - dice.i64(1..=most) } else { now }
    }

    /// Serves a page of a listing at a second.
    pub(crate) fn serve_list(
        &self,
        function: usize,
        query: PageQuery,
        now: i64,
    ) -> Result<Served, (Meaning, Option<u16>)> {
        let (begin, end) = (query.begin.unix(), query.end.unix());
        let too_long = self.readings.longest_window.is_some_and(|longest| end - begin > longest);
        if too_long || begin > end || (self.readings.refuses_future && end > now) {
            return Err((Meaning::Refused, Some(400)));
        }
        let as_of = self.as_of(now);
        let mut dice = self.state().dice.fork();
        let is_hidden = query.marker.0 == 0 && self.hides_window();
        let listing = if is_hidden {
            Vec::new()
        } else {
            self.listing(function, (begin, end), as_of, &mut dice)
        };
        let marker = usize::try_from(query.marker.0).expect("a small marker");
        let fits = (query.limit as usize).min(self.readings.page_cap);
        // Two are the least that pages can overlap in.
        let limit =
            if dice.percent(self.readings.hiccups) { dice.usize(2..=fits.max(2)) } else { fits };
        let limit = match self.readings.lengths {
            Lengths::Random => dice.usize(1..=limit),
            Lengths::SometimesShort if dice.percent(20.0) => dice.usize(1..=limit),
            Lengths::Fixed(length) => limit.min(length),
            Lengths::Full | Lengths::SometimesShort => limit,
        };
        let mut served = self.page(function, &listing, marker..marker.saturating_add(limit), now);
        if self.readings.spoilt > 0.0 && dice.percent(self.readings.spoilt) {
            served.spoil(&mut dice, &mut self.state().spoilt);
        }
        let is_blank =
            self.state().session.as_ref().is_some_and(|session| session.faults.bad_records_blank);
        match self.is_bad(&served) {
            Some(_) if is_blank => Ok(self.page(function, &[], 0..0, now)),
            Some(failure) => Err(failure),
            None => Ok(served),
        }
    }

    /// Whether this is the window of the run that is falsely shown empty.
    fn hides_window(&self) -> bool {
        self.state().session.as_mut().is_some_and(|session| {
            session.windows += 1;
            session.faults.empty_at == Some(session.windows - 1)
        })
    }

    /// What a query matches, in the order of the service.
    pub(crate) fn listing(
        &self,
        function: usize,
        (begin, end): (i64, i64),
        as_of: i64,
        dice: &mut Rng,
    ) -> Vec<(usize, &Record, &Stage)> {
        let shuffled = dice.percent(self.readings.shuffled_ties);
        let mut found: Vec<_> = self
            .readings
            .odd
            .shown_by(&self.world, function)
            .filter_map(|(index, record)| {
                let stage = record.stage(as_of)?;
                let second = self.second_of(record, stage);
                let tie = if shuffled { dice.u64(..) } else { 0 };
                self.readings
                    .selects(begin, end, second)
                    .then_some(((second, tie, record.key), (index, record, stage)))
            })
            .collect();
        found.sort_unstable_by_key(|(order, _)| *order);
        if self.readings.newest_first {
            found.reverse();
        }
        let times = |record: usize| {
            if self.readings.repeated.is_some_and(|of| record.is_multiple_of(of)) { 2 } else { 1 }
        };
        found.into_iter().flat_map(|(_, found)| iter::repeat_n(found, times(found.0))).collect()
    }

    /// The second by which windows select the record.
    pub(crate) fn second_of(&self, record: &Record, stage: &Stage) -> i64 {
        let end = stage.end.filter(|_| self.readings.by_end);
        end.or(stage.start).unwrap_or(record.submitted)
    }

    fn page(
        &self,
        function: usize,
        listing: &[(usize, &Record, &Stage)],
        places: Range<usize>,
        now: i64,
    ) -> Served {
        let (marker, limit) = (places.start, places.len());
        let handed_out = &listing[..listing.len().min(self.readings.result_cap)];
        let rest = handed_out.get(marker..).unwrap_or_default();
        let entries = &rest[..rest.len().min(limit).min(self.readings.page_cap)];
        let mut page = Page {
            records: entries
                .iter()
                .map(|entry| self.readings.odd.show(function, *entry, now))
                .collect(),
            keys: entries.iter().map(|(_, record, _)| record.key).collect(),
            ..Page::default()
        };
        let reached = (marker + entries.len()) as u64;
        page.count = match self.readings.wrong_count.unwrap_or(self.readings.count) {
            CountReading::Total => Some(listing.len() as u64),
            CountReading::TotalHandedOut => Some(handed_out.len() as u64),
            CountReading::PageLength => Some(entries.len() as u64),
            CountReading::Absent => None,
            CountReading::OneTooLow => Some((listing.len() as u64).saturating_sub(1)),
            CountReading::OneTooHigh => Some(listing.len() as u64 + 1),
            CountReading::LeavesOutOpen => {
                Some(listing.iter().filter(|(_, _, stage)| !stage.status.is_open()).count() as u64)
            }
        };
        let left = (rest.len() - entries.len()) as u64;
        page.next_marker = self.readings.next.after(marker as u64, reached, left);
        page.served_at = self.date(now);
        let shown = entries
            .iter()
            .zip(&page.records)
            .map(|((index, ..), shown)| Shown {
                function,
                record: *index,
                fields: Fields::of(shown),
                status: shown.status.clone(),
                served_at: now,
            })
            .collect();
        Served { page, shown, at: now }
    }

    /// One page of the functions.
    fn serve_functions(&self, marker: Marker) -> FunctionPage {
        let mut dice = self.state().naming_dice.fork();
        let now = self.now() / 1000;
        let page = self.naming.page(&self.world.functions, marker.0 as usize, now, &mut dice);
        FunctionPage { served_at: self.date(now), ..page }
    }

    /// Whether a call about a function is answered.
    fn check_known(&self, urn: &FunctionUrn) -> Result<(), (Meaning, Option<u16>)> {
        let is_absent = self.naming.is_absent(self.number_of(urn), self.now() / 1000);
        if self.naming.knows(urn) && !is_absent {
            Ok(())
        } else {
            Err((Meaning::NotFound, Some(404)))
        }
    }

    /// How a page fails that holds a record whose pages fail.
    fn is_bad(&self, served: &Served) -> Option<(Meaning, Option<u16>)> {
        let state = self.state();
        let bad = &state.session.as_ref()?.faults.bad_records;
        let record =
            served.shown.iter().map(|shown| shown.record).find(|record| bad.contains(record))?;
        if state.session.as_ref()?.faults.bad_records_hang {
            return Some((Meaning::Timeout, None));
        }
        Some(match record / 5 % 5 {
            _ if is_bad_by_404(record) && record % 5 == 3 => (Meaning::NotFound, Some(404)),
            _ if is_bad_by_404(record) => (Meaning::Refused, Some(404)),
            0 => (Meaning::Unavailable { retry_after: None }, Some(500)),
            1 => (Meaning::BrokenAnswer, Some(200)),
            2 => (Meaning::Refused, Some(413)),
            3 => (Meaning::Forbidden, Some(403)),
            _ => (Meaning::Throttled { retry_after: None }, Some(429)),
        })
    }

    fn serve_find(
        &self,
        function: usize,
        id: &RequestId,
        range: Interval,
    ) -> Result<Served, (Meaning, Option<u16>)> {
        let now = self.now() / 1000;
        let as_of = self.as_of(now);
        let found: Vec<_> = self
            .readings
            .odd
            .shown_by(&self.world, function)
            .filter(|(_, record)| record.id == *id)
            .filter_map(|(index, record)| Some((index, record, record.stage(as_of)?)))
            .filter(|(_, record, stage)| {
                let second = self.second_of(record, stage);
                !self.readings.find_in_window
                    || self.readings.selects(range.begin().unix(), range.end().unix(), second)
            })
            .collect();
        let served = self.page(function, &found, 0..1, now);
        if self.readings.unknown_ids && served.shown.is_empty() {
            return Err((Meaning::NotFound, Some(404)));
        }
        self.is_bad(&served).map_or(Ok(served), Err)
    }
}

/// A page, and the records on it.
pub(crate) struct Served {
    pub(crate) page: Page,
    pub(crate) shown: Vec<Shown>,
    at: i64,
}

impl Served {
    /// One of the records cannot be read in this answer, unless that happened to it before: what two
    /// answers spoil alike cannot be told from what cannot be read at all.
    fn spoil(&mut self, dice: &mut Rng, before: &mut HashSet<usize>) {
        if self.shown.is_empty() {
            return;
        }
        let place = dice.usize(..self.shown.len());
        if !before.insert(self.shown[place].record) {
            return;
        }
        self.shown.remove(place);
        self.page.records.remove(place);
        let reject = Reject { reason: "it is no object".to_owned(), raw: "null".to_owned() };
        self.page.keys[place] = EntryKey::of(&reject.raw);
        self.page.rejects.push(reject);
    }
}

fn fate(dice: &mut Rng, faults: &Faults, asked: &Asked) -> Fate {
    if *asked == Asked::Renew {
        return Fate::Served;
    }
    let wait = |dice: &mut Rng| dice.bool().then(|| Duration::from_secs(dice.u64(1..20)));
    if dice.percent(faults.throttled) {
        return Fate::Failed(Meaning::Throttled { retry_after: wait(dice) }, Some(429));
    }
    if dice.percent(faults.unavailable) {
        let retry_after = if dice.percent(20.0) { wait(dice) } else { None };
        return Fate::Failed(Meaning::Unavailable { retry_after }, Some(503));
    }
    if dice.percent(faults.cut) {
        return Fate::Failed(
            dice.pick(&[Meaning::Timeout, Meaning::Unreachable, Meaning::BrokenAnswer]),
            None,
        );
    }
    Fate::Served
}

/// The service in the hands of `sync`.
#[derive(Clone, Debug)]
pub(crate) struct InMemory(pub(crate) Arc<Service>);

impl InMemory {
    /// Takes a request through its time: `serve` is called at the moment the service makes its
    /// answer.
    async fn call<T>(
        &self,
        asked: Asked,
        serve: impl FnOnce(&Service) -> Result<T, (Meaning, Option<u16>)>,
    ) -> Result<(usize, T), CallFailure> {
        let (call, fate, before, after) = self.0.send(asked);
        sleep(before).await;
        let result = match fate {
            Fate::Served => match serve(&self.0) {
                Err((Meaning::Timeout, status)) => {
                    sleep(TIMEOUT).await;
                    Err((Meaning::Timeout, status))
                }
                result => result,
            },
            Fate::Failed(meaning, status) => Err((meaning, status)),
            Fate::Never => std::future::pending().await,
        };
        sleep(after).await;
        result
            .map(|answer| (call, answer))
            .map_err(|(meaning, status)| self.0.fail(call, meaning, status))
    }
}

impl Source for InMemory {
    async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Result<Page, CallFailure> {
        let function = self.0.number_of(urn);
        let (begin, end, marker) = (query.begin.unix(), query.end.unix(), query.marker.0);
        let asked = Asked::List { function, begin, end, marker };
        let (call, served) = self
            .call(asked, |service| {
                service.check_known(urn)?;
                service.serve_list(function, query, service.now() / 1000)
            })
            .await?;
        Ok(self.0.deliver(call, &served))
    }

    async fn find(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        range: Interval,
    ) -> Result<Page, CallFailure> {
        let function = self.0.number_of(urn);
        let (begin, end) = (range.begin().unix(), range.end().unix());
        let asked = Asked::Find { function, id: id.clone(), begin, end };
        let serve = |service: &Service| {
            service.check_known(urn)?;
            service.serve_find(function, id, range)
        };
        let (call, served) = self.call(asked, serve).await?;
        Ok(self.0.deliver(call, &served))
    }

    async fn functions(&self, marker: Marker) -> Result<FunctionPage, CallFailure> {
        let (call, page) =
            self.call(Asked::Functions, |service| Ok(service.serve_functions(marker))).await?;
        self.0.answer(call, Answered::Done);
        Ok(page)
    }

    async fn project(&self) -> Result<Project, CallFailure> {
        let urn = &self.0.world.functions[0];
        Ok(Project { region: urn.region().to_owned(), id: urn.project_id().to_owned() })
    }

    async fn recording(&self, urn: &FunctionUrn) -> Result<Option<bool>, CallFailure> {
        let asked = Asked::Recording { function: self.0.number_of(urn) };
        let (call, ()) = self.call(asked, |service| service.check_known(urn)).await?;
        self.0.answer(call, Answered::Done);
        Ok(Some(true))
    }

    async fn renew(&self) -> Result<bool, CallFailure> {
        let (call, ()) = self.call(Asked::Renew, |_| Ok(())).await?;
        self.0.answer(call, Answered::Done);
        let state = &mut *self.0.state();
        let faults = &state.session.as_ref().expect("a run").faults;
        let renewed = state.dice.percent(faults.renewed);
        if renewed {
            state.token += 1;
            state.token_until =
                state.calls[call].answered + faults.token_life.unwrap_or(i64::MAX / 2_000) * 1000;
        }
        Ok(renewed)
    }
}
