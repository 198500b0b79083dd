//! `fgarchive export`: what changed, for another system.

use super::failure;
use super::globals::Globals;
use super::output::{self, Readers};
use crate::error::Failure;
use crate::render::views::CursorView;
use crate::render::{Format, Renderer, Screen, Style, write_json_line};
use crate::store::file::{Reader, StoreError};
use crate::store::read::CHANGE_COLUMNS;
use clap::ValueEnum;
use std::io::Write;
use std::path::PathBuf;

/// The arguments of `export`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What is exported
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
    /// Only what runs after this one brought or changed: the `cursor` of the export before; 0 for
    /// all
    #[arg(long, value_name = "RUN", default_value_t = 0, allow_negative_numbers = true)]
    after: i64,
    /// How it is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Form::Ndjson)]
    format: Form,
    /// Write into this file, which takes its name when all of it is written; - is stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What can be exported.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Every record that is new or has changed, once, in the order of the runs that changed them
    Changes,
}

/// How it can be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// One object a line
    Ndjson,
}

/// Writes the records, and the cursor as the last line.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let Args { what: What::Changes, after, format: Form::Ndjson, .. } = *args;
    match output::file(args.output.as_ref()) {
        None => write(after, globals, out),
        Some(file) => {
            output::write_whole(file, &globals.db, Readers::Owner, |out| write(after, globals, out))
        }
    }
}

fn write(after: i64, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let mut reader = Reader::open(&globals.db).map_err(refused)?;
    let style = Style { format: Format::Ndjson, ..Style::table(Screen::default()) };
    let columns = CHANGE_COLUMNS.map(str::to_owned);
    let mut renderer = Renderer::begin(style, &columns, out).map_err(failure::output)?;
    let cursor = reader.changes(after, |cells| renderer.row(cells)).map_err(refused)?;
    let cursor = cursor.map_err(failure::output)?;
    renderer.finish().map_err(failure::output)?;
    write_json_line(&CursorView::of(cursor), out).map_err(failure::output)
}
