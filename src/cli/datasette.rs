//! `query datasette-metadata`: what Datasette is told of an archive.

use super::failure;
use crate::error::{Failure, FailureKind};
use crate::render::views::DatasetteView;
use crate::render::write_json_line;
use crate::store::read;
use clap::ValueEnum;
use std::io::Write;
use std::path::Path;

/// The name of the question.
pub(super) const NAME: &str = "datasette-metadata";

/// Which file of Datasette is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Version {
    /// The metadata of 0.x: meanings, and reports as canned queries.
    #[value(name = "0", help = "metadata.json of 0.x: meanings, and reports as canned queries")]
    Zero,
    /// The configuration of 1.x, which holds queries only; its metadata is that of 0.x.
    #[value(name = "1", help = "datasette.json of 1.x: the queries; its metadata is that of 0")]
    One,
}

/// Writes the file for an archive, whose database Datasette calls by the name of its file.
pub(super) fn write(
    version: Option<Version>,
    archive: &Path,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Some(version) = version else {
        let message = format!("`query {NAME}` needs --for with the version of Datasette");
        let hint = format!("fgarchive query {NAME} --for 0 --output metadata.json");
        return Err(Failure::new(FailureKind::Usage, message).hint(hint));
    };
    let unforeseen =
        |error| Failure::new(FailureKind::Unexpected, "cannot tell the schema").because(error);
    let tables = match version {
        Version::Zero => read::describe().map_err(unforeseen)?,
        Version::One => Vec::new(),
    };
    let database = archive.file_stem().unwrap_or_default().to_string_lossy();
    write_json_line(&DatasetteView::of(&database, tables), out).map_err(failure::output)
}
