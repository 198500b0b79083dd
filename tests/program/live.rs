//! Runs in this process, over the real client and a real socket, on a clock that is the cloud's
//! too: time passes when the test says so.

use crate::archive::{self, Records};
use crate::cloud::{Cloud, RUNTIME, later, pause};
use crate::program::{Home, Program};
use crate::truth;
use fgarchive::api::{
    Client, ClientSettings, Credentials, Endpoint, Introductions, PlainHttp, Proxies, Timeouts,
};
use fgarchive::clock::Clock;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{Readings, TOKEN, WorldSpec};
use fgarchive::plan::retry::RetryPolicy;
use fgarchive::store::file::{Archive, StoreError};
use fgarchive::sync::{self, RunPlan, RunReport, RunSource, Task, Unwatched};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) use fgarchive::sync::Settings;

/// So many tries a request, and no wait worth mentioning between them.
pub(crate) fn impatience(tries: u32) -> RetryPolicy {
    RetryPolicy {
        tries,
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
        ..RetryPolicy::default()
    }
}

/// A cloud and an archive that share a clock.
pub(crate) struct Live {
    pub(crate) cloud: Cloud,
    home: Home,
    began: Timestamp,
}

impl Live {
    /// A cloud at the end of its world's span.
    pub(crate) fn new(spec: WorldSpec, readings: Readings) -> Self {
        let anchor = spec.anchor;
        let clock = Clock::fixed(anchor);
        let shared = clock.clone();
        Self::of(Cloud::on(spec, readings, clock, move || shared.now()))
    }

    /// A cloud whose world goes on for [`GOES_ON`] seconds.
    pub(crate) fn amid(spec: WorldSpec, readings: Readings) -> Self {
        let clock = Clock::fixed(later(spec.anchor, -GOES_ON));
        let shared = clock.clone();
        Self::of(Cloud::on(spec, readings, clock, move || shared.now()))
    }

    pub(crate) fn of(cloud: Cloud) -> Self {
        let began = cloud.now();
        Self { cloud, home: Home::new(), began }
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.home.db()
    }

    /// Every function, everything that is still open, as fast as it goes.
    pub(crate) fn settings(&self) -> Settings {
        let span = i64::try_from(self.cloud.emulator.world().spec().span).unwrap();
        Settings {
            all_functions: true,
            since: Some(later(self.began, -span - 60)),
            max_rps: 1e9,
            open_recheck: Duration::ZERO,
            patience: impatience(30),
            ..Settings::default()
        }
    }

    fn client(&self) -> Client {
        let endpoint = Endpoint::parse(&self.cloud.url, PlainHttp::LoopbackOnly).unwrap();
        let clock = self.cloud.clock.clone();
        let settings = ClientSettings {
            functions_base: endpoint.clone(),
            iam_base: Some(endpoint),
            region: fgarchive::emulator::REGION.to_owned(),
            project_id: Some(fgarchive::emulator::PROJECT_ID.to_owned()),
            credentials: Credentials::Token(TOKEN.into()),
            timeouts: Timeouts::default(),
            ca_cert: None,
            authorities: None,
            proxies: Proxies::default(),
            introductions: Introductions::default(),
            user_agent: "test".to_owned(),
            now: Arc::new(move || clock.now()),
        };
        Client::new(settings).unwrap()
    }

    /// A child that another test has just begun holds our lock as well, until it becomes another
    /// program.
    fn open(&self) -> Archive {
        loop {
            match Archive::open(&self.db()) {
                Err(StoreError::Held) => pause(Duration::from_millis(1)),
                opened => return opened.unwrap(),
            }
        }
    }

    pub(crate) fn sync_with(&self, settings: &Settings) -> RunReport {
        self.run_for(Task::SYNC, settings)
    }

    pub(crate) fn run_for(&self, task: Task, settings: &Settings) -> RunReport {
        let mut archive = self.open();
        let (clock, cancel) = (&self.cloud.clock, CancellationToken::new());
        let source =
            RunSource { name: "live".into(), source: self.client(), settings: settings.clone() };
        let plan = RunPlan { task, sources: vec![source], max_duration: None };
        RUNTIME.block_on(sync::run(&mut archive, plan, clock, &cancel, &mut Unwatched)).unwrap()
    }

    /// A run that must be complete.
    #[track_caller]
    pub(crate) fn complete(&self) -> RunReport {
        let report = self.sync_with(&self.settings());
        assert!(report.failure_kind().is_none(), "{:?}", report.sources);
        report
    }

    /// A complete run so long after the first moment.
    #[track_caller]
    pub(crate) fn complete_at(&self, seconds: i64) -> RunReport {
        self.cloud.clock.set(later(self.began, seconds));
        self.complete()
    }

    /// The program, beside the archive.
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Program {
        self.home.run(args)
    }

    pub(crate) fn records(&self) -> Records {
        archive::records(&self.db())
    }

    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        truth::assert_whole(&self.cloud, &self.db());
    }
}

/// How long a world goes on after the first run, seconds.
pub(crate) const GOES_ON: i64 = 2 * 3_600;

/// The end of every world here, 2026-03-01T12:00:00Z: a test that has a clock of its own is the
/// same on every day.
pub(crate) const ANCHOR: i64 = 1_772_366_400;

/// A world dense enough that a run of minutes later finds much.
pub(crate) fn going_on() -> WorldSpec {
    WorldSpec {
        records: 1_600,
        functions: 2,
        span: 6 * 3_600,
        lateness: 600,
        slow: 30_000,
        retried: 200_000,
        ..WorldSpec::new(Timestamp::from_unix(ANCHOR))
    }
}
