//! A report's answer as a table of the page: what stands behind a chart, or instead of one.

use super::answer::{Answer, AnswerRow, Value};
use super::figure::{Kind, shown};
use super::link;
use super::spark::SparkView;
use crate::domain::Zone;

/// A table of the page.
#[derive(Clone, Debug)]
pub(super) struct TableView {
    /// The question, by its name on the page.
    pub(super) ask: &'static str,
    pub(super) columns: Vec<ColumnView>,
    pub(super) rows: Vec<RowView>,
    /// So many rows of the answer are not shown.
    pub(super) left_out: usize,
    /// Before which column small charts stand; none where its rows have none.
    pub(super) sparks_at: Option<usize>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnView {
    /// As the report names it.
    pub(super) name: String,
    /// As the page does.
    pub(super) label: String,
    pub(super) is_number: bool,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub(super) struct RowView {
    /// Its place in the answer.
    pub(super) number: usize,
    pub(super) cells: Vec<CellView>,
    /// A small chart.
    pub(super) spark: Option<SparkView>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CellView {
    /// As the report has it, where the page writes it otherwise.
    pub(super) raw: Option<String>,
    pub(super) shown: String,
    pub(super) is_number: bool,
    /// Whether it is a long text, which may be broken anywhere.
    pub(super) is_long: bool,
    /// Whether it is the id of a record, which is one long word.
    pub(super) is_id: bool,
    /// Where the records behind it are, on a live page.
    pub(super) href: Option<String>,
}

/// More characters than these are a long text. An id of a record is one word.
const LONG: usize = 40;

impl TableView {
    /// The first rows of an answer, with all columns, named as the report names them.
    pub(super) fn whole(answer: &Answer, most_rows: usize, zone: Zone) -> Self {
        let columns: Vec<(&str, &str)> =
            answer.columns().iter().map(|name| (name.as_str(), name.as_str())).collect();
        Self::of(answer, &columns, answer.rows(), most_rows, zone)
    }

    /// Some columns, each with its label, of some rows.
    pub(super) fn of<'a>(
        answer: &'a Answer,
        columns: &[(&str, &str)],
        rows: impl Iterator<Item = AnswerRow<'a>>,
        most_rows: usize,
        zone: Zone,
    ) -> Self {
        let rows: Vec<AnswerRow<'_>> = rows.collect();
        let shown = &rows[..rows.len().min(most_rows)];
        let is_number = |name: &str| {
            shown.iter().any(|row| row.number(name).is_some())
                && shown.iter().all(|row| !matches!(row.value(name), Value::Text(_)))
        };
        let column = |(name, label): &(&str, &str)| ColumnView {
            name: (*name).to_owned(),
            label: (*label).to_owned(),
            is_number: is_number(name),
        };
        let columns: Vec<ColumnView> = columns.iter().map(column).collect();
        let row = |row: &AnswerRow<'_>| RowView {
            number: row.number,
            cells: columns.iter().map(|column| CellView::of(*row, column, zone)).collect(),
            spark: None,
        };
        Self {
            ask: answer.ask.id,
            rows: shown.iter().map(row).collect(),
            left_out: rows.len() - shown.len(),
            sparks_at: None,
            columns,
        }
    }

    /// The same with a small chart in each row, before a column.
    pub(super) fn with_sparks(
        mut self,
        column: usize,
        spark: impl Fn(usize) -> Option<SparkView>,
    ) -> Self {
        self.sparks_at = Some(column);
        for row in &mut self.rows {
            row.spark = spark(row.number);
        }
        self
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl CellView {
    fn of(row: AnswerRow<'_>, column: &ColumnView, zone: Zone) -> Self {
        let value = row.value(&column.name);
        let (raw, shown) = (value.raw(), shown(value, Kind::of(&column.name), zone));
        let is_long = matches!(value, Value::Text(text) if text.chars().count() > LONG);
        let is_id = matches!(column.name.as_str(), "request_id" | "example");
        let raw = (raw != shown).then_some(raw);
        let href = link::of_value(row, &column.name);
        Self { raw, shown, is_number: column.is_number, is_long, is_id, href }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_table_shows_what_the_answer_has() {
        let answer = answer("t", "function | records | p50_s\n f | 1234 | 7\n g | 2 |\n h | 3 | 9");
        let table = TableView::whole(&answer, 2, Zone::UTC);
        assert_eq!((table.ask, table.rows.len(), table.left_out), ("t", 2, 1));
        let cell = |row: usize, column: usize| table.rows[row].cells[column].clone();
        assert_eq!(cell(0, 1).raw.as_deref(), Some("1234"));
        assert_eq!(cell(0, 1).shown, "1,234");
        assert_eq!(cell(0, 0).raw, None);
        assert_eq!((cell(1, 2).raw.as_deref(), cell(1, 2).shown.as_str()), (Some(""), "–"));
        assert!(table.columns[2].is_number && !table.columns[0].is_number);
        let chosen = answer.rows().filter(|row| row.count("records") > 2);
        let chosen = TableView::of(&answer, &[("p50_s", "median")], chosen, 9, Zone::UTC);
        let numbers: Vec<usize> = chosen.rows.iter().map(|row| row.number).collect();
        assert_eq!((numbers, chosen.columns[0].label.as_str()), (vec![0, 2], "median"));
    }
}
