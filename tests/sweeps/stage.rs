//! The runs that are disturbed: moments in the life of a small archive, which together take every
//! way through the program that writes.

use crate::cloud::{Cloud, later};
use crate::content::Content;
use crate::program::{Home, Program};
use crate::steps::{Report, Steps, watched};
use crate::truth;
use fgarchive::clock::Clock;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{Readings, WorldSpec};
use std::fs;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The end of the world's span, 2026-03-01T12:00:00Z: the same on every day.
const ANCHOR: i64 = 1_772_366_400;

/// How long the world goes on, seconds.
const SPAN: i64 = 6 * HOUR;

/// Records that come late, that run for days, are tried again and expire. All can be read: what
/// cannot takes hundreds of requests to narrow down, each of which would be struck.
fn world() -> WorldSpec {
    WorldSpec {
        records: 640,
        functions: 4,
        unlogged: 1,
        span: SPAN.unsigned_abs(),
        lateness: 900,
        retention: Some(10 * DAY.unsigned_abs()),
        burst_size: 12,
        slow: 100_000,
        retried: 100_000,
        ..WorldSpec::new(Timestamp::from_unix(ANCHOR))
    }
}

/// Short pages, and every limit in the way.
fn readings(page_cap: u64) -> Readings {
    Readings {
        page_cap: Some(page_cap),
        result_cap: Some(150),
        function_page_cap: Some(3),
        max_window: Some("5d".parse().unwrap()),
        ..Readings::default()
    }
}

/// A run to disturb.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    now: Timestamp,
    page_cap: u64,
    /// The archive it begins with; nothing for a first run.
    before: Home,
    pub(crate) cloud: Cloud,
    /// How the run ends when nothing disturbs it, and what it leaves: the archive, and what a
    /// second run at the same moment makes of it.
    pub(crate) exit: i32,
    contents: [Content; 2],
    pub(crate) steps: Steps,
    /// The first step that no other stage has.
    pub(crate) from: usize,
    pub(crate) requests: u64,
}

impl Stage {
    /// A first run, one after an hour in which much has changed, and one when the service has
    /// forgotten most of what was pending: each begins with what the one before has left.
    pub(crate) fn lifetime() -> Vec<Self> {
        let first = Self::undisturbed("a first run", -HOUR, 25, &Home::in_memory());
        truth::assert_same(
            &truth::records(&first.0.cloud, first.0.now),
            &crate::archive::records(&first.1.db()),
        );
        let second = Self::undisturbed("a run an hour later", 0, 25, &first.1);
        let third = Self::undisturbed("a run weeks later", 15 * DAY, 25, &second.1);
        let stages = vec![first.0, second.0, third.0];
        assert_covering(&stages);
        stages
    }

    /// A first run of so many pages that a part of them is committed before the others are there.
    /// It begins as `shorter` does.
    pub(crate) fn long(shorter: &Self) -> Self {
        let (mut stage, _) =
            Self::undisturbed("a first run of many pages", -HOUR, 3, &Home::in_memory());
        let shared = stage
            .steps
            .iter()
            .zip(&shorter.steps)
            .take_while(|(step, other)| step == other)
            .count();
        stage.from = shared + 1;
        stage
    }

    /// A stage, and the archive after it.
    fn undisturbed(name: &'static str, after: i64, page_cap: u64, home: &Home) -> (Self, Home) {
        let now = later(Timestamp::from_unix(ANCHOR), after);
        let (cloud, before) = (cloud_at(now, page_cap), copy(home));
        let report = Report::new();
        let said = sync(&cloud, now, home, &report).output();
        let (steps, requests) = (report.read(), cloud.journal().total());
        let once = Content::of(&home.db());
        let kept = copy(home);
        sync(&cloud, now, home, &Report::new()).exits(0);
        let contents = [once, Content::of(&home.db())];
        let exit = said.code();
        (
            Self { name, now, page_cap, before, cloud, exit, contents, steps, from: 1, requests },
            kept,
        )
    }

    /// A copy of the archive that the run begins with.
    pub(crate) fn begin(&self) -> Home {
        copy(&self.before)
    }

    /// Another cloud like this one's, for a trial that sets its faults.
    pub(crate) fn another_cloud(&self) -> Cloud {
        cloud_at(self.now, self.page_cap)
    }

    /// The run, about to be made.
    pub(crate) fn run(&self, cloud: &Cloud, home: &Home, report: &Report) -> Program {
        sync(cloud, self.now, home, report)
    }

    /// How an archive differs from what undisturbed runs leave.
    pub(crate) fn difference(&self, found: &Content) -> String {
        if self.contents.contains(found) {
            String::new()
        } else {
            found.difference(&self.contents[0])
        }
    }
}

/// Fails if the stages do not do what they are chosen for.
fn assert_covering(stages: &[Stage]) {
    let [first, second, third] = stages else { panic!("{} stages", stages.len()) };
    let rows = |stage: &Stage, name: &str| stage.contents[0].rows(name).len();
    let has = |stage: &Stage, name: &str, text: &str| {
        stage.contents[0].rows(name).iter().any(|row| row.contains(text))
    };
    assert_eq!((first.exit, second.exit, third.exit), (0, 0, 3));
    assert!(rows(first, "open") > 0 && rows(first, "settled") > 0);
    assert!(rows(second, "records") > rows(first, "records") && rows(second, "late") > 0);
    assert!(rows(second, "history") > 0);
    assert!(
        has(third, "ledger", "|lost") && has(third, "records", "|2026-03-16T12:00Z|"),
        "given up"
    );
    for call in ["open", "pwrite", "fsync", "ftruncate", "unlink"] {
        assert!(
            first.steps.iter().any(|step| step.starts_with(call)),
            "{call} is not among {:?}",
            first.steps
        );
    }
    for stage in stages {
        assert!(
            stage.steps.len() > 50 && stage.requests > 10,
            "{}: {} steps",
            stage.name,
            stage.steps.len()
        );
    }
}

fn cloud_at(now: Timestamp, page_cap: u64) -> Cloud {
    Cloud::on(world(), readings(page_cap), Clock::fixed(now), move || now)
}

fn sync(cloud: &Cloud, now: Timestamp, home: &Home, report: &Report) -> Program {
    let since = Timestamp::from_unix(ANCHOR - SPAN - 60).to_string();
    watched(home.sync_since(cloud, &since), home.path(), now.unix(), report)
}

fn copy(from: &Home) -> Home {
    let home = Home::in_memory();
    for (path, bytes) in from.bytes() {
        fs::write(home.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    home
}
