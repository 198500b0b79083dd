//! `fgarchive compact`: gives the free space of the archive back to the disk.

use super::archive::open_existing;
use super::globals::Globals;
use super::progress::Steps;
use super::{failure, hints, runtime};
use crate::error::{Failure, FailureKind};
use crate::render::views::{CompactView, mebibytes, write_compact, write_findings};
use crate::render::write_json_line;
use crate::store::file::{Archive, StoreError};
use crate::store::maintain::{CompactError, CompactStep, Compacted};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// How long is waited for readers of the old file, and how often, half a minute together: a report
/// has a time limit of as much.
const WAIT: Duration = Duration::from_millis(100);
const MOST_WAITS: u32 = 300;

/// The arguments of `compact`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Change nothing, and tell about how small the file would be
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Writes the archive anew, and tells how large it was and is.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let archive = open_existing(globals)?;
    let compacted = if args.dry_run {
        archive.estimate_compaction().map_err(|error| error.into_failure(&globals.db))?
    } else {
        compact(archive, globals, out)?
    };
    let written = if args.json {
        write_json_line(&CompactView::of(&compacted, !args.dry_run), out)
    } else {
        write_compact(&compacted, !args.dry_run, out)
    };
    written.map_err(failure::output)
}

fn compact(archive: Archive, globals: &Globals, out: &mut dyn Write) -> Result<Compacted, Failure> {
    let runtime = runtime::start()?;
    let progress = Steps::spin(globals);
    let mut waits = 0;
    let compacted = archive.compact(&mut |step| {
        progress.say(words(step));
        if step == CompactStep::Waiting {
            waits += 1;
            // The clock of a runtime is found within it alone.
            runtime.block_on(async { tokio::time::sleep(WAIT).await });
        }
        waits < MOST_WAITS
    });
    drop(progress);
    let db = globals.db.as_path();
    compacted.map_err(|error| match error {
        CompactError::Archive(StoreError::Busy) => failed(db)
            .because("another program has it open")
            .hint("nothing was changed; end what reads it for long, and run this again"),
        CompactError::Archive(error) => Failure {
            message: format!("cannot compact the archive `{}`", db.display()),
            ..error.into_failure(db)
        },
        CompactError::NoRoom { needed, free } => {
            let why = format!(
                "it takes {} MiB beside it, and {} MiB are free",
                mebibytes(needed),
                mebibytes(free)
            );
            failed(db).because(why).hint("nothing was changed; make room on its disk")
        }
        CompactError::Changed => failed(db)
            .because("another program wrote to it meanwhile")
            .hint("nothing was changed; run this again"),
        CompactError::Findings(findings) => {
            if let Err(error) = write_findings(&findings, hints::repair, out) {
                return failure::output(error);
            }
            let message =
                format!("the archive `{}` breaks its rules, and was not compacted", db.display());
            Failure::new(FailureKind::Finding, message)
                .hint("it was left as it was; each finding on stdout says what to do")
        }
    })
}

fn failed(db: &Path) -> Failure {
    let message = format!("cannot compact the archive `{}`", db.display());
    Failure::new(FailureKind::Archive, message)
}

fn words(step: CompactStep) -> &'static str {
    match step {
        CompactStep::Writing => "writing the archive anew",
        CompactStep::Checking => "checking the new file",
        CompactStep::Swapping => "putting the new file in its place",
        CompactStep::Waiting => "waiting for readers of the old file",
    }
}
