//! What happens in the cloud: records, and what the service can show of each at a moment. A pure
//! function of the seed.

use crate::dice::{Draw, dice};
use fastrand::Rng;
use fgarchive::domain::{
    EntryKey, ErrorCode, FunctionUrn, Invocation, RecordTime, RequestId, Status, Timestamp,
};

/// Where every world begins: 2026-01-01T00:00:00Z.
pub(crate) const EPOCH: i64 = 1_767_225_600;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// From `at` on, the service can show the record like this.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) at: i64,
    pub(crate) status: Status,
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
}

/// One invocation, from the moment the service can first show it until it is forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: RequestId,
    pub(crate) key: EntryKey,
    pub(crate) function: usize,
    pub(crate) submitted: i64,
    pub(crate) stages: Vec<Stage>,
    /// The last moment at which the service can show it: what expires is the newest event of a
    /// record.
    pub(crate) forgotten: i64,
}

impl Record {
    /// What the service can show of it at a moment.
    pub(crate) fn stage(&self, at: i64) -> Option<&Stage> {
        if at > self.forgotten {
            return None;
        }
        self.stages.iter().rev().find(|stage| stage.at <= at)
    }

    /// One of function 0 that is over in its second.
    fn over(number: usize, (second, forgotten): (i64, i64)) -> Self {
        let id = RequestId::new(format!("{number:032x}")).expect("an id");
        let stage =
            Stage { at: second, status: Status::Success, start: Some(second), end: Some(second) };
        Self {
            key: EntryKey::of(id.as_str()),
            id,
            function: 0,
            submitted: second,
            stages: vec![stage],
            forgotten,
        }
    }

    /// When the service could first show it.
    pub(crate) fn arrived(&self) -> i64 {
        self.stages[0].at
    }

    /// The record as it is served.
    pub(crate) fn shown(&self, stage: &Stage) -> Invocation {
        let failed = stage.status == Status::Fail;
        let time =
            |moment: Option<i64>| moment.map(|moment| RecordTime::At(Timestamp::from_unix(moment)));
        Invocation {
            request_id: self.id.clone(),
            status: stage.status.clone(),
            error_code: failed.then_some(ErrorCode::Number(4_290)),
            error_message: failed.then(|| "the function ran out of memory".into()),
            start_time: time(stage.start),
            end_time: time(stage.end),
            extra: None,
        }
    }
}

/// A world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) functions: Vec<FunctionUrn>,
    /// Sorted by function, then by when they were submitted.
    pub(crate) records: Vec<Record>,
    /// How long things happen, in seconds from [`EPOCH`].
    pub(crate) span: i64,
}

/// How records of one world come to be.
struct Nature {
    /// How long the service keeps a record: a day is the least that the store behind it can be set
    /// to.
    retention: i64,
    /// How many of a hundred records arrive noticeably late.
    late: f64,
    /// Whether a record that waits has a start time.
    wait_has_start: bool,
    /// How many of a hundred records take hours or days.
    slow: f64,
    /// How many of a hundred fail at first and are tried again.
    retried: f64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = dice(seed, "world");
        let span = match dice.u8(..10) {
            0..6 => dice.i64(2 * HOUR..12 * HOUR),
            6..9 => dice.i64(DAY..3 * DAY),
            _ => dice.i64(10 * DAY..45 * DAY),
        };
        let nature = Nature {
            retention: dice.pick(&[DAY, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 400 * DAY]),
            late: dice.pick(&[0.0, 2.0, 10.0, 40.0]),
            wait_has_start: dice.bool(),
            slow: dice.pick(&[0.0, 1.0, 10.0]),
            retried: dice.pick(&[0.0, 3.0, 20.0]),
        };
        let functions: Vec<FunctionUrn> = (0..dice.usize(1..=3)).map(urn).collect();
        let mut records = Vec::new();
        for function in 0..functions.len() {
            let wanted = match dice.u8(..100) {
                0..85 => dice.usize(0..200),
                85..97 => dice.usize(200..900),
                97..99 => dice.usize(1_200..3_500),
                _ => dice.usize(5_100..7_000),
            };
            let mut submitted = submissions(&mut dice, span, wanted);
            submitted.sort_unstable();
            records
                .extend(submitted.into_iter().map(|at| record(&mut dice, &nature, function, at)));
        }
        Self { functions, records, span }
    }

    /// A world of one function and records that are over at once, each from its second until it is
    /// forgotten.
    pub(crate) fn of_records(moments: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let records: Vec<Record> = moments
            .into_iter()
            .enumerate()
            .map(|(number, times)| Record::over(number, times))
            .collect();
        let span = records.iter().map(|record| record.submitted - EPOCH).max().unwrap_or(0);
        Self { functions: vec![urn(0)], records, span }
    }

    /// The same among so many functions, in turn.
    pub(crate) fn among(mut self, functions: usize) -> Self {
        self.functions = (0..functions).map(urn).collect();
        for (number, record) in self.records.iter_mut().enumerate() {
            record.function = number % functions;
        }
        self.records.sort_by_key(|record| record.function);
        self
    }

    /// The same in another region.
    pub(crate) fn in_region(mut self, region: &str) -> Self {
        for function in &mut self.functions {
            *function = function.to_string().replace("cn-north-4", region).parse().expect("a URN");
        }
        self
    }

    /// The records of a function.
    pub(crate) fn of(&self, function: usize) -> impl Iterator<Item = (usize, &Record)> {
        let from = self.records.partition_point(|record| record.function < function);
        let to = self.records.partition_point(|record| record.function <= function);
        self.records[from..to].iter().enumerate().map(move |(index, record)| (from + index, record))
    }
}

fn urn(number: usize) -> FunctionUrn {
    format!("urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:f{number}")
        .parse()
        .expect("a URN")
}

/// When records are submitted: evenly, in busy minutes, and many within one second.
fn submissions(dice: &mut Rng, span: i64, wanted: usize) -> Vec<i64> {
    let mut moments = Vec::with_capacity(wanted);
    let burst = if dice.percent(25.0) { wanted * dice.usize(1..10) / 10 } else { 0 };
    let second = EPOCH + dice.i64(0..span);
    moments.extend(std::iter::repeat_n(second, burst));
    while moments.len() < wanted {
        let near = EPOCH + dice.i64(0..span);
        let crowd = if dice.percent(20.0) { dice.usize(1..40) } else { 1 };
        let width = dice.pick(&[1, 2, MINUTE]);
        moments.extend((0..crowd).map(|_| (near + dice.i64(0..width)).min(EPOCH + span)));
    }
    moments
}

/// How much later than it happened the service shows something: mostly at once, rarely after hours.
fn lateness(dice: &mut Rng, nature: &Nature) -> i64 {
    if !dice.percent(nature.late) {
        return dice.i64(0..3);
    }
    match dice.u8(..100) {
        0..70 => dice.spread(2, 2 * MINUTE),
        70..95 => dice.spread(2 * MINUTE, 14 * MINUTE),
        95..99 => dice.spread(14 * MINUTE, HOUR),
        _ => dice.spread(HOUR, 2 * DAY),
    }
}

fn record(dice: &mut Rng, nature: &Nature, function: usize, submitted: i64) -> Record {
    let id = RequestId::new(format!("{:016x}{:016x}", dice.u64(..), dice.u64(..))).expect("an id");
    let slow = dice.percent(nature.slow);
    let mut stages = Vec::with_capacity(4);
    let (mut seen_at, mut newest) = (submitted, submitted);
    let mut add =
        |dice: &mut Rng, happened: i64, status: Status, start: Option<i64>, end: Option<i64>| {
            // What happened later is never shown earlier.
            seen_at = (happened + lateness(dice, nature)).max(seen_at + 1);
            newest = happened;
            stages.push(Stage { at: seen_at, status, start, end });
        };
    let queued =
        if slow && dice.bool() { dice.spread(MINUTE, 20 * HOUR) } else { dice.spread(0, 30) };
    let wait_start = nature.wait_has_start.then_some(submitted);
    // A record in the queue keeps its time of submission as its start where it shows one at all.
    let start = if nature.wait_has_start { submitted } else { submitted + queued };
    if queued > 2 {
        add(dice, submitted, Status::Wait, wait_start, None);
    }
    let ends = !(slow && dice.percent(5.0));
    let length = if slow { dice.spread(MINUTE, 60 * HOUR) } else { dice.spread(0, 5 * MINUTE) };
    if dice.percent(1.0) {
        add(dice, submitted + queued, Status::Discard, Some(start), Some(submitted + queued));
    } else {
        if length > 2 || !ends {
            add(dice, submitted + queued, Status::Running, Some(start), None);
        }
        if ends {
            let mut end = submitted + queued + length;
            if dice.percent(nature.retried) {
                add(dice, end, Status::Fail, Some(start), Some(end));
                let pause = dice.spread(5, 25 * MINUTE);
                add(dice, end + pause, Status::Running, Some(start), None);
                end += pause + dice.spread(3, 10 * MINUTE);
            }
            let status = if dice.percent(12.0) { Status::Fail } else { Status::Success };
            add(dice, end, status, Some(start), Some(end));
        }
    }
    let key = EntryKey::of(id.as_str());
    Record { id, key, function, submitted, stages, forgotten: newest + nature.retention }
}
