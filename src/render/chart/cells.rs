//! What a chart takes from the cells of a row.

use super::ink::Ink;
use crate::domain::Cell;
use crate::render::text::plain;

/// Where a column stands.
pub(super) fn place(columns: &[String], name: &str) -> usize {
    columns.iter().position(|column| column == name).unwrap_or(usize::MAX)
}

/// The number in a cell, if it is one.
pub(super) fn number(cell: Option<&Cell<'_>>) -> Option<f64> {
    match cell {
        Some(Cell::Integer(number)) => Some(*number as f64),
        Some(Cell::Real(number)) if number.is_finite() => Some(*number),
        _ => None,
    }
}

/// What is shown of a cell beside what is drawn.
pub(super) fn shown(cell: Option<&Cell<'_>>, ink: Ink) -> String {
    cell.map_or_else(String::new, |cell| match cell {
        Cell::Blob(_) => ink.text("(bytes)"),
        other => ink.text(&plain(other)),
    })
}
