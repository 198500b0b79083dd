//! `fgarchive backup`: a verified copy of the archive.

use super::failure;
use super::globals::Globals;
use super::hints;
use crate::error::{Failure, FailureKind};
use crate::render::views::{BackupView, write_backup, write_findings};
use crate::render::write_json_line;
use crate::store::file::{Reader, is_same_file};
use crate::store::maintain::{BackupError, Copied, Replace};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The arguments of `backup`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Where the copy goes; an earlier copy there is replaced once the new one is verified
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace any archive there, also one that is newer than this one, no copy of it, or damaged
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Copies the archive and tells what was copied; an archive that breaks its rules is not copied.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    if is_same_file(&globals.db, &args.file) {
        let message = format!("`{}` is the archive itself", args.file.display());
        return Err(Failure::new(FailureKind::Usage, message).hint("give the path of a copy"));
    }
    let reader = Reader::open(&globals.db).map_err(|error| error.into_failure(&globals.db))?;
    let replace = if args.force { Replace::AnyArchive } else { Replace::EarlierCopies };
    match reader.back_up(&args.file, replace) {
        Ok(copied) => show(&copied, args, out).map_err(failure::output),
        Err(BackupError::Source(error)) => Err(error.into_failure(&globals.db)),
        Err(BackupError::Target(error)) => {
            let mut failure = error.into_failure(&args.file);
            failure.message = format!("cannot copy the archive to `{}`", args.file.display());
            Err(failure)
        }
        Err(BackupError::Occupied(other)) => {
            let message = format!("cannot copy the archive to `{}`", args.file.display());
            Err(Failure::new(FailureKind::Archive, message).because(other).hint(
                "it was left as it was; see whether the two paths are exchanged, or replace it \
                 with --force",
            ))
        }
        Err(BackupError::Findings(findings)) => {
            write_findings(&findings, hints::repair, out).map_err(failure::output)?;
            let message = format!(
                "the archive `{}` breaks its rules, and was not copied",
                globals.db.display()
            );
            Err(Failure::new(FailureKind::Finding, message)
                .hint("an earlier copy is left as it was; each finding on stdout says what to do"))
        }
    }
}

/// As it was given, but where a link leads elsewhere.
fn shown<'a>(given: &'a Path, copied: &'a Copied) -> &'a Path {
    if given.is_symlink() { &copied.place } else { given }
}

fn show(copied: &Copied, args: &Args, out: &mut dyn Write) -> std::io::Result<()> {
    let file = shown(&args.file, copied).to_string_lossy();
    if args.json {
        write_json_line(&BackupView::of(&file, copied), out)
    } else {
        write_backup(&file, copied, out)
    }
}
