//! `fgarchive prune`: removes the records of days that are older than they are kept.

use super::archive::open_existing;
use super::failure;
use super::globals::Globals;
use super::progress::Steps;
use super::terminal::screen;
use crate::config::parse_duration;
use crate::error::{Failure, FailureKind};
use crate::render::views::{PruneView, write_prune};
use crate::render::write_json_line;
use crate::store::file::{Reader, StoreError};
use crate::store::maintain::{PrunePlan, Retention};
use crate::store::reports::Arguments;
use std::io::Write;
use std::time::Duration;

/// The shortest age: days are pruned whole, and one that is not over is not settled.
const LEAST: Duration = Duration::from_hours(24);

/// The arguments of `prune`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Keep the records of days that ended less than so long before the last run, such as 400d
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        allow_hyphen_values = true
    )]
    keep: Duration,
    /// Only these functions: a name, `package:name`, a URN, or a glob such as `billing:*`; may be
    /// repeated
    #[arg(long, value_name = "FUNCTION")]
    function: Vec<String>,
    /// Remove the records; without it nothing is changed, and what would be removed is shown
    #[arg(long)]
    apply: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Tells what is old enough, and removes it where that is asked for.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    if args.keep < LEAST {
        let message = "--keep: it is less than a day, and days are pruned whole";
        return Err(Failure::new(FailureKind::Usage, message).hint("give it as in --keep 400d"));
    }
    let now = globals.clock().now();
    let arguments = Arguments { functions: args.function.clone(), ..Arguments::at(now) };
    let retention = Retention { keep: args.keep, arguments };
    let plan = if args.apply { prune(&retention, globals) } else { look(&retention, globals) }?;
    let written = if args.json {
        write_json_line(&PruneView::of(&plan, args.apply), out)
    } else {
        write_prune(&plan, args.apply, screen(), out)
    };
    written.map_err(failure::output)
}

fn look(retention: &Retention, globals: &Globals) -> Result<PrunePlan, Failure> {
    Reader::open(&globals.db)
        .and_then(|mut reader| reader.plan_prune(retention))
        .map_err(|error: StoreError| error.into_failure(&globals.db))
}

fn prune(retention: &Retention, globals: &Globals) -> Result<PrunePlan, Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let mut archive = open_existing(globals)?;
    let plan = archive.plan_prune(retention).map_err(refused)?;
    if plan.records() > 0 {
        let progress = Steps::start(globals, plan.records(), "records removed");
        archive.prune(retention, &plan, &mut |removed| progress.at(removed)).map_err(refused)?;
    }
    Ok(plan)
}
