//! An answer, written row by row.

use super::failure;
use super::form::Form;
use super::memory::MemoryBound;
use crate::domain::Cell;
use crate::error::Failure;
use crate::store::file::StoreError;
use crate::store::reports::Question;
use std::io::Write;
use std::path::Path;

/// What an answer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The most rows, where the user said so.
    pub(super) rows: Option<u64>,
    /// What it may take of memory.
    pub(super) memory: MemoryBound,
}

/// Writes an answer row by row, within its limits, and tells how many rows it had.
pub(super) fn write(
    question: &mut Question<'_>,
    form: &Form<'_>,
    limits: Limits,
    archive: &Path,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    let mut renderer = form.begin(question.columns(), out)?;
    let mut rows = question.rows();
    let mut shown = 0;
    let refused = |error: StoreError| error.into_failure(archive);
    while let Some(row) = limits.memory.within(|| rows.next_row()).map_err(refused)? {
        if limits.rows == Some(shown) {
            tracing::warn!("only the first {shown} rows are shown, as --max-rows says");
            break;
        }
        if !renderer.wants_more() {
            tracing::warn!("only the first {shown} rows are shown: every other format gives all");
            break;
        }
        limits.memory.check_room(row.copied_bytes()).map_err(refused)?;
        let cells: Vec<Cell<'_>> = row.cells().collect();
        limits.memory.check_room(renderer.held_bytes(&cells)).map_err(refused)?;
        renderer.row(&cells).map_err(failure::output)?;
        shown += 1;
    }
    renderer.finish().map_err(failure::output)?;
    Ok(shown)
}
