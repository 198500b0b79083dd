//! What must hold after every run and after every schedule, told from the world, the log of calls
//! and the archive.

use crate::archive::{Content, Window};
use crate::asking;
use crate::play::{Counts, Ended};
use crate::readings::CountReading;
use crate::schedule::Planned;
use crate::service::{Answered, Asked, Call, Service, Shown, is_bad_by_404};
use crate::showing::Fields;
use crate::statuses::Possible;
use crate::world::Record;
use fgarchive::api::CallFailure;
use fgarchive::domain::{self, Interval, IntervalSet, Status, Timestamp};
use fgarchive::store::file::Reader;
use fgarchive::sync::{RunReport, Settings, SourceReport};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A second that holds this many records of a function may reach the suspected cap of results.
const CROWDED_SECOND: usize = 4_900;

const DAY: i64 = 86_400;

/// No clock of a schedule is further behind, in seconds.
const SLOWEST_CLOCK: i64 = 601;

/// No run goes on for longer once the service is down, in seconds; answers under way come before
/// that.
const LONGEST_OUTAGE: i64 = 130;

/// An invariant that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
}

/// The first page of a walk: from then on the walk speaks of its window.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    function: usize,
    begin: i64,
    end: i64,
    served_at: i64,
}

/// A run of a schedule, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlayedRun<'r> {
    pub(crate) number: usize,
    pub(crate) planned: &'r Planned,
    /// The second in which it ended.
    pub(crate) until: i64,
    pub(crate) ended: &'r Ended,
    pub(crate) calls: &'r [Call],
    /// What the service showed it.
    pub(crate) shown: &'r [Shown],
}

/// What is known of a schedule so far.
#[derive(Debug)]
pub(crate) struct Checks {
    service: Arc<Service>,
    settings: Settings,
    numbers: HashMap<String, usize>,
    /// What the archive may hold of a record, function by function: its row is that of the one that
    /// showed it first.
    possible: Vec<Vec<Possible>>,
    owners: Vec<Option<usize>>,
    /// What each function certainly told of each record, of the record itself and of its outcome by
    /// status.
    told: HashMap<(usize, usize), Vec<(Status, Fields)>>,
    settled: Vec<IntervalSet>,
    /// Since the archive was last looked at: walks that began, and when the last run ended.
    beginnings: Vec<Beginning>,
    until: i64,
    asking: asking::Asking,
    last_report: Option<(i64, Box<RunReport>)>,
    /// Records whose pages failed in the last run.
    bad: Vec<usize>,
    /// Whether they were shown empty instead, which casts doubt on what lies around them.
    is_blank: bool,
    findings: Vec<Finding>,
}

impl Checks {
    pub(crate) fn new(service: Arc<Service>, settings: Settings) -> Self {
        let records = &service.world.records;
        let numbers = records
            .iter()
            .enumerate()
            .map(|(number, record)| (record.id.to_string(), number))
            .collect();
        Self {
            possible: vec![vec![Possible::ABSENT; records.len()]; service.world.functions.len()],
            owners: vec![None; records.len()],
            told: HashMap::new(),
            settled: vec![IntervalSet::default(); service.world.functions.len()],
            numbers,
            beginnings: Vec::new(),
            until: 0,
            asking: asking::Asking::default(),
            last_report: None,
            bad: Vec::new(),
            is_blank: false,
            findings: Vec::new(),
            service,
            settings,
        }
    }

    pub(crate) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    fn find(&mut self, invariant: &'static str, what: impl Into<String>) {
        self.findings.push(Finding { invariant, what: what.into() });
    }

    /// What a run's calls alone tell.
    pub(crate) fn after_run(&mut self, run: &PlayedRun<'_>) {
        let &PlayedRun { number, planned, until, ended, calls, shown } = run;
        self.until = until;
        self.bad.clone_from(&planned.faults.bad_records);
        self.is_blank = planned.faults.bad_records_blank;
        self.check_outage(run);
        for call in calls {
            let (
                Asked::List { function, begin, end, marker: 0 },
                Answered::Records { served_at, .. },
            ) = (&call.asked, call.answer)
            else {
                continue;
            };
            self.beginnings.push(Beginning {
                function: *function,
                begin: *begin,
                end: *end,
                served_at,
            });
        }
        let certain = match ended {
            Ended::Reported(report) => !of_source(report).is_interrupted(),
            Ended::Killed | Ended::Hung | Ended::Failed(_) => false,
        };
        self.expect_statuses(shown, certain);
        let committed =
            matches!(ended, Ended::Reported(report) if !of_source(report).is_interrupted());
        let service = Arc::clone(&self.service);
        // The answer was made before it came.
        let has_404s = planned.faults.bad_records.iter().any(|&record| is_bad_by_404(record));
        let is_absent =
            |function, at| has_404s || service.naming.is_absent_in(function, at - 10, at);
        let forms = asking::forms(calls, self.service.readings.unknown_ids, is_absent);
        for (invariant, what) in
            self.asking.check(calls, &self.settings, planned, committed).into_iter().chain(forms)
        {
            self.find(invariant, format!("run {number}: {what}"));
        }
        match ended {
            Ended::Failed(failure) => {
                self.find("a run never fails by itself", format!("run {number}: {failure}"));
            }
            Ended::Reported(report) => self.last_report = Some((planned.at, report.clone())),
            Ended::Hung => self.find("a run ends", format!("run {number} waits for ever")),
            Ended::Killed => self.last_report = None,
        }
    }

    /// A service that is down ends the run soon, and nothing else is taken for one.
    fn check_outage(&mut self, run: &PlayedRun<'_>) {
        let &PlayedRun { number, planned, until, ended, calls, .. } = run;
        let Ended::Reported(report) = ended else { return };
        let report = of_source(report);
        let first = planned.faults.down_from.and_then(|(from, _)| calls.get(from));
        let is_refused =
            report.is_interrupted() || report.refusal.as_ref().is_some_and(CallFailure::is_denied);
        match first {
            Some(call) if until - call.sent / 1000 > LONGEST_OUTAGE => {
                let what = format!("run {number} took {} s after {call}", until - call.sent / 1000);
                self.find("a service that is down ends the run", what);
            }
            Some(call)
                if report.failure_kind().is_none() && !is_refused && call.asked != Asked::Renew =>
            {
                self.find(
                    "a service that goes down leaves its run incomplete",
                    format!("run {number} after {call}"),
                );
            }
            None if report.is_down => {
                self.find("one request is not the service", format!("run {number}"));
            }
            _ => {}
        }
    }

    fn expect_statuses(&mut self, shown: &[Shown], certain: bool) {
        let mut by_record: BTreeMap<(usize, usize), Vec<&Shown>> = BTreeMap::new();
        for each in shown {
            by_record.entry((each.function, each.record)).or_default().push(each);
        }
        for ((function, record), mut sightings) in by_record {
            sightings.sort_by_key(|each| each.served_at);
            let possible = &mut self.possible[function][record];
            *possible = possible.after(&sightings, certain);
            if certain {
                let told = self.told.entry((function, record)).or_default();
                told.extend(sightings.iter().map(|each| (each.status.clone(), each.fields)));
                told.sort_by_key(|(status, fields)| (status.to_string(), fields.0));
                told.dedup();
            }
        }
    }

    /// What the archive tells between two runs.
    pub(crate) fn inspect(&mut self, path: &Path) {
        let content = Content::read(path, &self.service.world, &self.numbers);
        self.check_statuses(&content);
        self.check_ledger(&content);
        self.check_settled(&content);
        self.check_complete(&content);
        self.check_history(&content);
        self.beginnings.clear();
    }

    fn check_statuses(&mut self, content: &Content) {
        let known = content.statuses.iter().flatten().count();
        if content.strangers > 0 || content.rows != known {
            self.find(
                "no record twice, none invented",
                format!("{} rows for {known} records", content.rows),
            );
        }
        for (number, status) in content.statuses.iter().enumerate() {
            let owner = content.owners[number];
            if self.owners[number].is_some_and(|before| Some(before) != owner) {
                self.find(
                    "a row stays with its function",
                    format!("{owner:?}: {}", self.name(number)),
                );
            }
            self.owners[number] = owner;
            for function in 0..self.possible.len() {
                let possible = self.possible[function][number];
                if owner.is_none_or(|owner| owner == function) && !possible.allows(status.as_ref())
                {
                    let what =
                        format!("{} is {status:?}, expected {possible:?}", self.name(number));
                    self.find("what was shown is archived with its last shown status", what);
                }
                self.possible[function][number] = Possible::only(status.as_ref());
            }
        }
        self.check_known(content);
    }

    /// What was known is known for ever, as far as it belongs to the record or to the outcome that
    /// it stands at; and what another function showed is kept as its own.
    fn check_known(&mut self, content: &Content) {
        let mut findings = Vec::new();
        for (&(function, number), told) in &self.told {
            if content.owners[number] != Some(function) {
                if !content.shared.contains(&(number, function)) {
                    findings.push(("what a second function shows is kept", number));
                }
                continue;
            }
            let stands = content.statuses[number].as_ref();
            let is_outcome =
                |status: &Status| self.service.readings.is_fresh() && Some(status) == stands;
            let known = told.iter().map(|(status, fields)| {
                if is_outcome(status) { *fields } else { fields.only(Fields::OF_RECORD) }
            });
            if !content.fields[number].covers(known.fold(Fields::default(), Fields::and)) {
                findings.push(("what was known is never overwritten by nothing", number));
            }
        }
        for (invariant, number) in findings {
            self.find(invariant, format!("{:?}: {}", content.fields[number], self.name(number)));
        }
    }

    fn name(&self, number: usize) -> String {
        let record = &self.service.world.records[number];
        let stages: Vec<String> = record
            .stages
            .iter()
            .map(|stage| {
                let time = |at: Option<i64>| {
                    at.map_or("-".to_owned(), |at| Timestamp::from_unix(at).to_string())
                };
                let second = Timestamp::from_unix(self.service.second_of(record, stage));
                let (at, status) = (Timestamp::from_unix(stage.at), &stage.status);
                format!(
                    "{status} from {at} ({} to {}, filed under {second})",
                    time(stage.start),
                    time(stage.end)
                )
            })
            .collect();
        format!("record {} of f{} [{}]", record.id, record.function, stages.join("; "))
    }

    /// Rows of the ledger are disjoint, settled neighbours are one row.
    fn check_ledger(&mut self, content: &Content) {
        for rows in &content.windows {
            for pair in rows.windows(2) {
                let [one, other] = pair else { continue };
                if one.range.end() > other.range.begin() {
                    self.find("ledger rows are disjoint", format!("{one:?} {other:?}"));
                }
                let both = |state: &str| one.state == state && other.state == state;
                if one.range.end() == other.range.begin() && both("settled") {
                    self.find("settled neighbours are one row", format!("{one:?} {other:?}"));
                }
            }
            for row in rows {
                if row.state == "settled"
                    && row.reported.is_some_and(|reported| reported != row.distinct)
                {
                    self.find("a settled row has the count it reports", format!("{row:?}"));
                }
            }
        }
    }

    /// What was settled since the last look: every second was asked for late enough, and nothing
    /// that could be seen then is missing.
    fn check_settled(&mut self, content: &Content) {
        for function in 0..content.windows.len() {
            let settled: IntervalSet = ranges(&content.windows[function], &["settled"]).collect();
            let new: Vec<Interval> =
                settled.iter().flat_map(|range| self.settled[function].gaps_in(range)).collect();
            if new.is_empty() {
                continue;
            }
            let began: Vec<Beginning> =
                self.beginnings.iter().filter(|each| each.function == function).copied().collect();
            self.check_settle_delay(&new, &began);
            self.check_nothing_lost(function, &new, &began, content);
            self.check_nothing_forgotten(function, &new, &began, content);
            self.settled[function] = settled;
        }
    }

    /// When walks that select a second began: the first and the last.
    fn walked(&self, began: &[Beginning], second: i64) -> Option<(i64, i64)> {
        let readings = &self.service.readings;
        let times = || {
            began
                .iter()
                .filter(|each| readings.selects(each.begin, each.end, second))
                .map(|each| each.served_at)
        };
        Some((times().min()?, times().max()?))
    }

    fn check_settle_delay(&mut self, new: &[Interval], began: &[Beginning]) {
        let delay = i64::try_from(self.settings.settle_delay.as_secs()).expect("a short delay");
        for range in new {
            let edges = began
                .iter()
                .flat_map(|each| (-1..=1).flat_map(|by| [each.begin + by, each.end + by]));
            let inside = edges.filter(|&second| range.contains(Timestamp::from_unix(second)));
            for second in
                inside.chain([range.begin().unix(), range.end().unix() - 1]).collect::<Vec<_>>()
            {
                let at = Timestamp::from_unix(second);
                match self.walked(began, second) {
                    None => self.find(
                        "settled means asked for",
                        format!("{at} of {range} was never selected"),
                    ),
                    Some((_, last)) if last < second + 1 + delay => {
                        let last = Timestamp::from_unix(last);
                        self.find(
                            "settled means walked late enough",
                            format!("{at} of {range}, last walked {last}"),
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }

    fn check_nothing_lost(
        &mut self,
        function: usize,
        new: &[Interval],
        began: &[Beginning],
        content: &Content,
    ) {
        let service = Arc::clone(&self.service);
        let stale = service.readings.stale.1;
        for (number, record) in service.world.of(function) {
            if content.statuses[number].is_some() {
                continue;
            }
            let Some((second, since)) = self.filed_at(record, self.until) else { continue };
            if !new.iter().any(|range| range.contains(Timestamp::from_unix(second))) {
                continue;
            }
            if self.walked(began, second).is_some_and(|(first, _)| since <= first - stale) {
                self.find(
                    "nothing that could be seen is missing from a settled window",
                    self.name(number),
                );
            }
        }
    }

    /// What the service forgot before a walk of its window is not called settled, from the first
    /// promise on: what it forgot before, or within a day of being asked for the first time, nobody
    /// could promise to have.
    fn check_nothing_forgotten(
        &mut self,
        function: usize,
        new: &[Interval],
        began: &[Beginning],
        content: &Content,
    ) {
        let service = Arc::clone(&self.service);
        let delay = i64::try_from(self.settings.settle_delay.as_secs()).expect("a short delay");
        let Some(promised_from) = self.settled[function].iter().next().map(Interval::begin) else {
            return;
        };
        let promised_at = content.taken_up[function].expect("a function with a ledger") + DAY;
        for (number, record) in service.world.of(function) {
            if content.statuses[number].is_some() {
                continue;
            }
            let Some((second, since)) = self.filed_at(record, record.forgotten) else { continue };
            let at = Timestamp::from_unix(second);
            let is_claimed = at >= promised_from && new.iter().any(|range| range.contains(at));
            let too_late =
                self.walked(began, second).is_some_and(|(first, _)| record.forgotten < first);
            let is_claimed = is_claimed && record.forgotten >= promised_at - SLOWEST_CLOCK;
            // What the service denied by its list and when it was asked is believed not to have
            // been there.
            let near = [second - SLOWEST_CLOCK, second + SLOWEST_CLOCK];
            if service.naming.is_absent_in(function, near[0], near[1]) {
                continue;
            }
            if is_claimed && too_late && since <= second + 1 + delay {
                self.find(
                    "what was forgotten before it was walked is not called settled",
                    self.name(number),
                );
            }
        }
    }

    /// Under which second a record is filed at a moment, and since when; none while it cannot be
    /// seen.
    fn filed_at(&self, record: &Record, at: i64) -> Option<(i64, i64)> {
        let second = self.service.second_of(record, record.stage(at)?);
        let mut since = record.arrived();
        for stage in record.stages.iter().filter(|stage| stage.at <= at) {
            if self.service.second_of(record, stage) != second {
                since = i64::MAX;
            } else if since == i64::MAX {
                since = stage.at;
            }
        }
        Some((second, since))
    }

    /// A run that says that it is complete has proven everything up to its start.
    fn check_complete(&mut self, content: &Content) {
        let Some((at, report)) = self.last_report.take() else { return };
        if report.failure_kind().is_some() {
            self.last_report = Some((at, report));
            return;
        }
        let functions = &self.service.world.functions;
        for (function, urn) in functions.clone().iter().enumerate() {
            // Of what is not there, no time is promised.
            if self.service.naming.is_absent_in(function, at, self.until) || content.gone[function]
            {
                continue;
            }
            let Some(told) = report.functions().find(|told| told.urn == *urn) else {
                // A slow clock may not have reached the time to archive from.
                if self.settings.since.is_none_or(|since| since.unix() < at - SLOWEST_CLOCK) {
                    self.find(
                        "complete means every function",
                        format!("{urn} is not in the report"),
                    );
                }
                continue;
            };
            let until = told.end.min(Timestamp::from_unix(at));
            let proven: IntervalSet =
                ranges(&content.windows[function], &["settled", "proven", "lost"]).collect();
            if let Some(horizon) = Interval::new(told.begin, until)
                && let Some(gap) = proven.gaps_in(horizon).first()
            {
                self.find("complete means proven", format!("{gap} of {urn} is not"));
            }
        }
        self.last_report = Some((at, report));
    }

    /// History replays to the status, and every change lies where it is said to lie.
    fn check_history(&mut self, content: &Content) {
        for (&number, changes) in &content.history {
            let mut status: Option<&Status> = None;
            for change in changes {
                let continues = status.is_none_or(|status| *status == change.from);
                if !continues {
                    self.find(
                        "history has no holes",
                        format!("{}: {changes:?}", self.name(number)),
                    );
                }
                status = Some(if change.accepted { &change.to } else { &change.from });
                let stages = &self.service.world.records[number].stages;
                let inside = stages.iter().any(|stage| {
                    stage.status == change.to && change.after < stage.at && stage.at <= change.by
                });
                // Another function shows other statuses, and an absent one has no moment.
                let is_true =
                    content.owners[number] == Some(self.service.world.records[number].function);
                let is_told =
                    [&change.from, &change.to].iter().all(|status| !status.as_str().is_empty());
                if self.service.readings.is_fresh() && is_true && is_told && !inside {
                    let (after, by) =
                        (Timestamp::from_unix(change.after), Timestamp::from_unix(change.by));
                    let what = format!(
                        "{} to {} in ({after}, {by}] of {}",
                        change.from,
                        change.to,
                        self.name(number)
                    );
                    self.find("a transition holds the true moment of change", what);
                }
            }
            if status.is_some() && status != content.statuses[number].as_ref() {
                let what =
                    format!("{} is {:?}: {changes:?}", self.name(number), content.statuses[number]);
                self.find("history replays to the status", what);
            }
        }
    }

    /// What must hold when nothing went wrong for hours.
    pub(crate) fn at_the_end(&mut self, path: &Path, now: i64, counts: &mut Counts) {
        let content = Content::read(path, &self.service.world, &self.numbers);
        let service = Arc::clone(&self.service);
        if content.gone.contains(&true) {
            self.find("what came back is not called gone", format!("{:?}", content.gone));
        }
        let delay = i64::try_from(self.settings.settle_delay.as_secs()).expect("a short delay");
        for (number, record) in service.world.records.iter().enumerate() {
            if content.statuses[number].is_some() {
                continue;
            }
            let Some((second, since)) = self.filed_at(record, now) else {
                counts.forgotten += 1;
                continue;
            };
            if self.settled[record.function].range_at(Timestamp::from_unix(second)).is_none() {
                continue;
            }
            if since <= second + 1 + delay - service.readings.stale.1 {
                self.find("what comes within the settle delay is archived", self.name(number));
            } else {
                counts.late += 1;
            }
        }
        let damage = Reader::open(path).and_then(|mut reader| reader.check()).expect("a check");
        if !damage.is_empty() {
            self.find("check finds an archive sound", format!("{damage:?}"));
        }
        let incomplete =
            self.last_report.as_ref().is_none_or(|(_, report)| report.failure_kind().is_some());
        counts.incomplete += u64::from(incomplete);
        if self.is_provable() && !self.is_blank {
            counts.provable += 1;
            self.check_around(&content, now);
            if incomplete && self.bad.is_empty() {
                let last = self
                    .last_report
                    .as_ref()
                    .map(|(_, report)| report.functions().cloned().collect::<Vec<_>>());
                self.find("a quiet world is proven in the end", format!("{last:?}"));
            }
            self.check_followed_up(&content, now);
            self.check_quiet_run(now);
        }
    }

    /// Where a page fails for good, everything but its second and the two beside it is proven, and
    /// only records of that second are missing.
    fn check_around(&mut self, content: &Content, now: i64) {
        let service = Arc::clone(&self.service);
        let bad: Vec<(usize, i64)> = self.bad_seconds(now);
        let Some((at, report)) = self.last_report.clone().filter(|_| !self.bad.is_empty()) else {
            return;
        };
        for (function, rows) in content.windows.iter().enumerate() {
            let Some(told) =
                report.functions().find(|told| told.urn == service.world.functions[function])
            else {
                continue;
            };
            let proven: IntervalSet = ranges(rows, &["settled", "proven", "lost"]).collect();
            let near = |gap: Interval| {
                let beside = |second: i64| (second - 1..=second + 1).contains(&gap.begin().unix());
                gap.seconds() <= 3
                    && bad.iter().any(|&(of, second)| of == function && beside(second))
            };
            let horizon = Interval::new(told.begin, told.end.min(Timestamp::from_unix(at)));
            for gap in horizon.map_or_else(Vec::new, |horizon| proven.gaps_in(horizon)) {
                let seconds = (gap.begin().unix()..gap.end().unix()).map(Timestamp::from_unix);
                let parts = seconds
                    .filter_map(|second| Interval::new(second, second + Duration::from_secs(1)));
                if gap.seconds() > 60 || !parts.into_iter().all(near) {
                    self.find(
                        "only what cannot be had is unproven",
                        format!("{gap} of f{function}, bad are {bad:?}"),
                    );
                }
            }
        }
        for (number, record) in service.world.records.iter().enumerate() {
            let Some((second, since)) = self.filed_at(record, now) else { continue };
            let is_bad = bad.contains(&(record.function, second));
            if content.statuses[number].is_none() && !is_bad && since < at - DAY {
                let is_old = |ledger: &Window| {
                    ledger.range.contains(Timestamp::from_unix(second))
                        && ledger.state == "unproven"
                };
                if content.windows[record.function].iter().any(is_old) {
                    self.find(
                        "only records of a second that cannot be had are missing",
                        self.name(number),
                    );
                }
            }
        }
    }

    /// The seconds of functions in which a page fails: of each function that shows the record.
    fn bad_seconds(&self, now: i64) -> Vec<(usize, i64)> {
        let world = &self.service.world;
        let shown = (0..world.functions.len()).flat_map(|function| {
            let shown = self.service.readings.odd.shown_by(world, function);
            shown
                .filter(|(number, _)| self.bad.contains(number))
                .map(move |(_, record)| (function, record))
        });
        shown
            .filter_map(|(function, record)| {
                Some((function, self.service.second_of(record, record.stage(now)?)))
            })
            .collect()
    }

    /// Whether nothing about the service keeps a walk from being proven.
    fn is_provable(&self) -> bool {
        let readings = &self.service.readings;
        let mut seconds: HashMap<(usize, i64), usize> = HashMap::new();
        for function in 0..self.service.world.functions.len() {
            for (_, record) in readings.odd.shown_by(&self.service.world, function) {
                *seconds.entry((function, record.submitted)).or_default() += 1;
            }
        }
        let is_orderly =
            readings.shuffled_ties == 0.0 && readings.repeated.is_none() && readings.spoilt == 0.0;
        // One too high may count what is never shown; the others show too much, which the seams
        // prove.
        let is_countable = readings.wrong_count != Some(CountReading::OneTooHigh);
        is_orderly
            && is_countable
            && readings.is_fresh()
            && seconds.values().all(|&crowd| crowd < CROWDED_SECOND)
    }

    /// Open records are asked for again until they end.
    fn check_followed_up(&mut self, content: &Content, now: i64) {
        let service = Arc::clone(&self.service);
        for (number, record) in service.world.records.iter().enumerate() {
            let (Some(stored), Some(stage)) = (&content.statuses[number], record.stage(now)) else {
                continue;
            };
            let long_ago = stage.at < now - 5 * 3_600 && !self.is_near_bad(record, now);
            if stored.is_open() && stage.status.is_final() && long_ago && !content.given_up[number]
            {
                self.find(
                    "open records are followed to their end",
                    format!("{stored}: {}", self.name(number)),
                );
            }
        }
    }

    fn is_near_bad(&self, record: &Record, now: i64) -> bool {
        let seconds = record.stages.iter().map(|stage| self.service.second_of(record, stage));
        let bad = self.bad_seconds(now);
        seconds.into_iter().any(|second| {
            bad.iter().any(|&(of, near)| of == record.function && (second - near).abs() <= 1)
        })
    }

    /// The last run came five minutes after another, in a world where nothing happened.
    fn check_quiet_run(&mut self, now: i64) {
        let busy = self.service.world.records.iter().any(|record| {
            record.stages.iter().any(|stage| (now - 4 * 3_600..=now).contains(&stage.at))
        });
        let Some((_, report)) = self.last_report.as_ref() else { return };
        let domain::Counts { pages, records, .. } = report.counts();
        let is_whole = self.service.readings.odd.blanks == 0.0;
        // Walking settled windows again is there to find what changed after it was given up or
        // taken for final.
        let is_plain = is_whole && pages.verifying == 0;
        if !busy
            && is_plain
            && self.service.readings.is_fresh()
            && (records.new > 0 || records.changed > 0)
        {
            self.find("a second run on a quiet world writes no record", format!("{records:?}"));
        }
    }
}

/// The report of the only source.
fn of_source(report: &RunReport) -> &SourceReport {
    &report.sources[0]
}

fn ranges<'a>(rows: &'a [Window], states: &'a [&str]) -> impl Iterator<Item = Interval> + 'a {
    rows.iter().filter(|row| states.contains(&row.state.as_str())).map(|row| row.range)
}
