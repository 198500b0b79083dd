//! The stand-in cloud on a socket of this process, on a clock that stands still unless the test
//! moves it.

use fgarchive::clock::Clock;
use fgarchive::domain::{FunctionUrn, Timestamp};
use fgarchive::emulator::{
    Emulator, Fault, Faults, Journal, Readings, RouteName, Rule, World, WorldSpec, serve,
};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

/// One runtime serves every cloud of this process, and what a test does in it.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// The machine's time: the binary knows no other.
pub(crate) fn now() -> Timestamp {
    Clock::System.now()
}

/// Waits; for tests that look at another process again and again.
pub(crate) fn pause(length: Duration) {
    RUNTIME.block_on(async { tokio::time::sleep(length).await });
}

/// So many seconds after a moment, or before it.
pub(crate) fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(moment.unix() + seconds)
}

/// A small world that ends now, with a little of everything: late, slow and retried records, and
/// bursts.
pub(crate) fn small_world() -> WorldSpec {
    WorldSpec {
        records: 2_400,
        functions: 2,
        span: 3 * 86_400,
        slow: 20_000,
        retried: 50_000,
        ..WorldSpec::new(now())
    }
}

/// A world in which nothing changes any more.
pub(crate) fn settled_world() -> WorldSpec {
    WorldSpec { records: 2_400, span: 86_400, slow: 0, ..WorldSpec::new(later(now(), -6 * 3_600)) }
}

/// The cloud, served until it is dropped.
pub(crate) struct Cloud {
    pub(crate) emulator: Emulator,
    pub(crate) clock: Clock,
    pub(crate) url: String,
    stop: CancellationToken,
}

impl Cloud {
    /// A cloud whose time is the end of the world's span.
    pub(crate) fn new(spec: WorldSpec) -> Self {
        Self::reading(spec, Readings::default())
    }

    /// The same under a reading of the vendor's page.
    pub(crate) fn reading(spec: WorldSpec, readings: Readings) -> Self {
        let clock = Clock::fixed(now());
        let shared = clock.clone();
        Self::on(spec, readings, clock, move || shared.now())
    }

    /// A cloud that asks `time` for the present; `clock` is what the test has of it.
    pub(crate) fn on(
        spec: WorldSpec,
        readings: Readings,
        clock: Clock,
        time: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let emulator = Emulator::new(World::new(spec).unwrap(), readings, Faults::none(), time);
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        RUNTIME.spawn(serve(listener, emulator.clone(), stop.clone().cancelled_owned()));
        Self { emulator, clock, url, stop }
    }

    /// Every request goes wrong in this way.
    pub(crate) fn struck_by(self, fault: Fault) -> Self {
        self.with_faults(Faults::rule(Rule::from(fault)))
    }

    pub(crate) fn with_faults(self, faults: Faults) -> Self {
        self.emulator.set_faults(faults);
        self
    }

    /// The present of the cloud.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn journal(&self) -> Journal {
        self.emulator.journal()
    }

    /// Requests for invocations so far.
    pub(crate) fn listings(&self) -> u64 {
        self.journal().requests(RouteName::Invocations)
    }

    pub(crate) fn functions(&self) -> Vec<FunctionUrn> {
        self.emulator.world().functions().iter().map(|function| function.urn().clone()).collect()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
