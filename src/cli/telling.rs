//! `--notify`: whom the configuration names is told that a run begins, how it ended, and of alerts.

use super::aftermath::Tried;
use super::alerting::{self, Looked};
use super::globals::Globals;
use super::stage::Stage;
use super::systemd::with_signs_of_life;
use crate::api::{Listener, ListenerSettings};
use crate::config::{self, Told};
use crate::domain::{BuiltIn, Counts, counted};
use crate::error::{Failure, FailureKind};
use crate::monitor::{Channels, Ended, Ping, check_finding};
use crate::plan::alerts::Unanswered;
use crate::render::on_one_line;
use crate::store::file::Reader;
use crate::sync::RunReport;
use std::time::Duration;

/// Who is told, if anybody is.
pub(super) struct Telling(Option<Listeners>);

struct Listeners {
    ping: Option<Ping>,
    channels: Channels,
}

impl Telling {
    /// Nobody is told.
    pub(super) const NOBODY: Self = Self(None);

    /// Whom the configuration file names.
    pub(super) fn of(globals: &Globals) -> Result<Self, Failure> {
        let env = |name: &str| std::env::var_os(name);
        let (file, authorities) = (globals.file.as_ref(), &globals.authorities);
        let Told { ping, webhook, command } = config::load_told(file, &env, authorities)?;
        let listener = |settings: ListenerSettings| {
            Listener::new(settings).map_err(|cause| {
                Failure::new(FailureKind::Usage, "cannot prepare to tell anybody of runs")
                    .because(cause)
            })
        };
        let clock = globals.clock();
        let webhook = webhook.map(listener).transpose()?;
        let ping = ping.map(listener).transpose()?.map(|it| Ping::new(it, clock.clone()));
        Ok(Self(Some(Listeners { ping, channels: Channels { command, webhook, clock } })))
    }

    /// Tells that the run begins. Whoever interrupts it does not wait for that.
    pub(super) fn begin(&self, stage: &Stage) {
        if let Self(Some(Listeners { ping: Some(ping), .. })) = self {
            let Stage { runtime, cancel } = stage;
            let begin = cancel.run_until_cancelled(ping.begin());
            runtime.block_on(with_signs_of_life(begin));
        }
    }

    /// Tells how it ended, and of alerts: `settle_delay` is how late a record may come.
    pub(super) fn end(
        &self,
        tried: &Tried<'_>,
        settle_delay: Duration,
        stage: &Stage,
        globals: &Globals,
    ) {
        let Self(Some(Listeners { ping, channels })) = self else { return };
        let ended = ended(tried, globals);
        if let Some(ping) = ping {
            stage.runtime.block_on(with_signs_of_life(ping.end(&ended)));
        }
        // Who interrupts a run looks at it, and who holds the archive tells of it; the next run
        // tells what this one does not.
        let is_left = [FailureKind::Interrupted, FailureKind::Busy]
            .iter()
            .any(|kind| kind.exit_code() == ended.exit_code);
        if !is_left && !channels.all().is_empty() {
            let look = |now| alerting::look(globals, settle_delay, now);
            alerting::tell(channels, look, stage, globals);
        }
    }

    /// Tells of a check that broke these rules, or none.
    pub(super) fn checked(&self, rules: &[&str], stage: &Stage, globals: &Globals) {
        let Self(Some(Listeners { channels, .. })) = self else { return };
        let is_ignored =
            globals.file.as_ref().is_some_and(|file| file.notify().ignores(BuiltIn::Check));
        if is_ignored || channels.all().is_empty() {
            return;
        }
        let looked = Looked {
            findings: check_finding(rules).into_iter().collect(),
            unanswered: Unanswered::AllBut(BuiltIn::Check.as_str()),
        };
        alerting::tell(channels, |_| Ok(looked.clone()), stage, globals);
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
