//! Where a feed of changes ends.

use crate::store::read::Cursor;
use serde::Serialize;

/// The last line of `export changes`, which is no record.
#[derive(Debug, Serialize)]
pub(crate) struct CursorView {
    cursor: i64,
    records: u64,
}

impl CursorView {
    /// The run to go on from, and how many records came before this line.
    pub(crate) fn of(cursor: Cursor) -> Self {
        Self { cursor: cursor.run, records: cursor.records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_cursor_stays_as_it_is() {
        let cursor = CursorView::of(Cursor { run: 7, records: 2 });
        assert_eq!(json_line(&cursor), "{\"cursor\":7,\"records\":2}\n");
    }
}
