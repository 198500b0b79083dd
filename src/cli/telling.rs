//! `sync --notify`: whom the configuration names is told that a run begins, and how it ended.

use super::aftermath::Tried;
use super::globals::Globals;
use super::runtime;
use super::systemd::with_signs_of_life;
use crate::api::Listener;
use crate::config;
use crate::domain::{Counts, counted};
use crate::error::{Failure, FailureKind};
use crate::monitor::{Ended, Ping};
use crate::render::on_one_line;
use crate::store::file::Reader;
use crate::sync::RunReport;
use tokio::runtime::Runtime;

/// Who is told of a run, if anybody is.
pub(super) struct Telling(Option<(Ping, Runtime)>);

impl Telling {
    /// Nobody is told.
    pub(super) const NOBODY: Self = Self(None);

    /// Whom the configuration file names.
    pub(super) fn of(globals: &Globals) -> Result<Self, Failure> {
        let env = |name: &str| std::env::var_os(name);
        let settings = config::load_ping(globals.file.as_ref(), &env)?;
        let listener = Listener::new(settings).map_err(|cause| {
            Failure::new(FailureKind::Usage, "cannot prepare to tell anybody of runs")
                .because(cause)
        })?;
        Ok(Self(Some((Ping::new(listener, globals.clock()), runtime::start()?))))
    }

    /// Tells that the run begins.
    pub(super) fn begin(&self) {
        if let Self(Some((ping, runtime))) = self {
            runtime.block_on(with_signs_of_life(ping.begin()));
        }
    }

    /// Tells how it ended.
    pub(super) fn end(&self, tried: &Tried<'_>, globals: &Globals) {
        if let Self(Some((ping, runtime))) = self {
            let ended = ended(tried, globals);
            runtime.block_on(with_signs_of_life(ping.end(&ended)));
        }
    }
}

fn ended(tried: &Tried<'_>, globals: &Globals) -> Ended {
    let report = match tried.report {
        Ok(report) => report,
        Err(failure) => {
            let text = on_one_line(&failure.to_string()).into_owned();
            return Ended { exit_code: failure.kind.exit_code(), before: None, text };
        }
    };
    // An archive that cannot be read now tells of no good run.
    let before = Reader::open(&globals.db).and_then(|reader| reader.went_well_before(report.run));
    Ended {
        exit_code: report.exit_code(),
        before: before.unwrap_or(Some(false)),
        text: text(report),
    }
}

/// What people are to read of a run.
fn text(report: &RunReport) -> String {
    let Counts { requests, records, .. } = report.counts();
    let done = format!(
        "run {} {}: {}, {}, {} seen, {} new, {} changed",
        report.run,
        report.outcome(),
        counted(report.functions().count(), "function"),
        counted(requests.sent, "request"),
        counted(records.seen, "record"),
        records.new,
        records.changed,
    );
    let failure = report.failure();
    let why = failure.map(|failure| on_one_line(&failure.to_string()).into_owned());
    [Some(done), why].into_iter().flatten().collect::<Vec<_>>().join("\n")
}
