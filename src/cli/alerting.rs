//! Telling of alerts: what holds is looked at, held against what is known, told, and kept.

use super::globals::Globals;
use super::rules;
use super::stage::{Stage, open};
use super::systemd::with_signs_of_life;
use crate::config::{ConfigFile, Notify};
use crate::domain::{BuiltIn, Timestamp};
use crate::error::{Failure, FailureKind};
use crate::monitor::{Channels, Message, conditions};
use crate::plan::alerts::{Finding, Look, Unanswered, observe};
use crate::store::file::{Archive, Found, Reader, StoreError, inspect};
use crate::store::reports::Arguments;
use crate::store::write::KnownAlerts;
use std::time::Duration;

/// How long another run that holds the archive is waited for. It tells of the same itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked again where another run was at work meanwhile.
const MOST_LOOKS: usize = 3;

/// What was looked at.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    pub(super) unanswered: Unanswered,
}

/// Tells whoever is to hear of alerts what is news, and keeps who has heard it. What cannot be done
/// is said, and fails nothing.
pub(super) fn tell(
    channels: &Channels,
    look: impl Fn(Timestamp) -> Result<Looked, Failure>,
    stage: &Stage,
    globals: &Globals,
) {
    // Where there is no archive yet, nothing of it can be told.
    if !matches!(inspect(&globals.db), Ok(Found::Ours { .. })) {
        return;
    }
    let told = look_and_open(look, stage, globals).map(|(looked, mut alerts)| {
        let now = globals.clock().now();
        alerts.observe(looked, channels, now);
        alerts.tell(channels, stage, now);
    });
    if let Err(failure) = told {
        tracing::error!("cannot tell of alerts: {failure}");
    }
}

/// Looks, then opens the archive, so that nobody else tells meanwhile; where a run was at work in
/// between, what was seen is old, and it is looked again. While an archive is open to be written
/// to, this process must not open it a second time: closing one drops SQLite's locks of both.
fn look_and_open<'a>(
    look: impl Fn(Timestamp) -> Result<Looked, Failure>,
    stage: &Stage,
    globals: &'a Globals,
) -> Result<(Looked, Alerts<'a>), Failure> {
    let mut tries = 1;
    loop {
        let before = read_known(globals)?;
        let looked = look(globals.clock().now())?;
        let alerts = Alerts::open(before.clone(), stage, globals)?;
        if alerts.known.last_run == before.last_run || tries == MOST_LOOKS {
            return Ok((looked, alerts));
        }
        tries += 1;
    }
}

fn read_known(globals: &Globals) -> Result<KnownAlerts, Failure> {
    let known = Reader::open(&globals.db).and_then(|reader| reader.known_alerts());
    known.map_err(|error| error.into_failure(&globals.db))
}

/// The alerts of an archive that nobody else changes meanwhile.
struct Alerts<'a> {
    globals: &'a Globals,
    /// None where it can be read and not be written to, as when the disk is full: then what is told
    /// cannot be kept, and is told again by the next run.
    archive: Option<Archive>,
    known: KnownAlerts,
}

impl<'a> Alerts<'a> {
    /// Opens the archive, of which this was known just before.
    fn open(before: KnownAlerts, stage: &Stage, globals: &'a Globals) -> Result<Self, Failure> {
        let opened = open(&globals.db, PATIENCE, &stage.cancel);
        match stage.runtime.block_on(with_signs_of_life(opened)) {
            Ok(archive) => {
                let known = archive.known_alerts();
                let known = known.map_err(|error| error.into_failure(&globals.db))?;
                Ok(Self { globals, archive: Some(archive), known })
            }
            Err(failure) if failure.kind == FailureKind::Archive => {
                tracing::error!("who is told of alerts cannot be kept: {failure}");
                Ok(Self { globals, archive: None, known: before })
            }
            Err(failure) => Err(failure),
        }
    }

    fn observe(&mut self, looked: Looked, channels: &Channels, now: Timestamp) {
        let Looked { findings, unanswered } = looked;
        let channels = &channels.all();
        let look = Look { findings, unanswered, channels, now };
        let alerts = &mut self.known.alerts;
        *alerts = observe(std::mem::take(alerts), look);
        // Before anybody is told: what is over when the next run looks is told all the same, should
        // this one be killed.
        self.save();
    }

    fn tell(&mut self, channels: &Channels, stage: &Stage, now: Timestamp) {
        for channel in channels.all() {
            let KnownAlerts { archive_id, alerts, .. } = &self.known;
            let archive = (archive_id.as_str(), self.globals.db.as_path());
            let Some((message, told)) = Message::of(alerts, channel, archive, now) else {
                continue;
            };
            let telling = with_signs_of_life(channels.tell(channel, &message));
            if stage.runtime.block_on(telling) {
                for (at, news) in told {
                    self.known.alerts[at].note(channel, news, now);
                }
                self.save();
            }
        }
    }

    fn save(&mut self) {
        let Some(archive) = &mut self.archive else { return };
        let saved = archive.save_alerts(&mut self.known.alerts).and_then(|()| archive.checkpoint());
        if let Err(error) = saved {
            let failure = error.into_failure(&self.globals.db);
            tracing::error!("who was told of alerts cannot be kept: {failure}");
        }
    }
}

/// What holds after a run, but for what only a check finds.
pub(super) fn look(
    globals: &Globals,
    settle_delay: Duration,
    now: Timestamp,
) -> Result<Looked, Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let by_default = Notify::default();
    let notify = globals.file.as_ref().map_or(&by_default, ConfigFile::notify);
    let mut reader = Reader::open(&globals.db).map_err(refused)?;
    let status = reader.status(&Arguments::at(now)).map_err(refused)?;
    let trouble = reader.trouble(settle_delay).map_err(refused)?;
    let mut findings = conditions(&status, &trouble, notify.max_age.value, now);
    findings.retain(|finding| BuiltIn::named(&finding.name).is_none_or(|it| !notify.ignores(it)));
    let answers = rules::ask(globals, now);
    findings.extend(answers.findings);
    let check = BuiltIn::Check;
    let unseen = Some(check.as_str().to_owned()).filter(|_| !notify.ignores(check));
    let unanswered = Unanswered::These(answers.unanswered.into_iter().chain(unseen).collect());
    Ok(Looked { findings, unanswered })
}
