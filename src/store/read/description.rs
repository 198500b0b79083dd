//! What the tables, views and columns of an archive mean, as the page `docs/archive.md` tells it:
//! the page is the one source, and a test holds it against the schema.

use crate::store::file::StoreError;
use crate::store::file::schema::migrations;
use regex::Regex;
use rusqlite::Connection;

const PAGE: &str = include_str!("../../../docs/archive.md");

/// A table or view of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    /// What it holds.
    pub holds: String,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
}

/// A column of a table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in SQLite's words; empty where a view computes it.
    pub kind: String,
    /// What it means.
    pub meaning: String,
}

/// The tables and views, in the order of the page.
pub fn describe() -> Result<Vec<Table>, StoreError> {
    let mut fresh = Connection::open_in_memory()?;
    migrations().run(&mut fresh).map_err(|error| StoreError::from_migration(&error))?;
    let overview = section("## Overview");
    let tables = overview.iter().map(|(name, told)| {
        let is_view = told.starts_with("view");
        Ok(Table {
            name: name.clone(),
            kind: if is_view { "view" } else { "table" }.to_owned(),
            holds: told.trim_start_matches("view: ").trim_start_matches("view ").to_owned(),
            columns: load_columns(&fresh, name)?,
        })
    });
    tables.collect()
}

fn load_columns(fresh: &Connection, table: &str) -> Result<Vec<Column>, StoreError> {
    let meanings = section(&format!("### `{table}`"));
    let mut select = fresh.prepare("SELECT name, type FROM pragma_table_xinfo(?1) ORDER BY cid")?;
    let rows = select.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let column = |row: rusqlite::Result<(String, String)>| {
        let (name, kind) = row?;
        let meaning = meanings.iter().find(|(told, _)| *told == name);
        let meaning = meaning.map(|(_, meaning)| meaning.clone()).unwrap_or_default();
        Ok(Column { name, kind, meaning })
    };
    rows.map(column).collect()
}

/// The rows of the tables in a section of the page, by the name in their first cell; a row of
/// several names stands once for each.
fn section(heading: &str) -> Vec<(String, String)> {
    let level = heading.split(' ').next().unwrap_or_default();
    let is_within = |line: &&str| {
        line.split_once(' ').is_none_or(|(mark, _)| {
            !mark.starts_with('#') || !mark.trim_matches('#').is_empty() || mark.len() > level.len()
        })
    };
    let lines = PAGE.lines().skip_while(|line| *line != heading).skip(1).take_while(is_within);
    let rows =
        lines.filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.flat_map(|(names, told)| {
        let quoted = names.split('`').skip(1).step_by(2);
        quoted.map(move |name| (name.to_owned(), without_links(told)))
    })
    .collect()
}

/// The text of `[text](target)`.
fn without_links(told: &str) -> String {
    match Regex::new(r"\[([^\]]*)\]\([^)]*\)") {
        Ok(link) => link.replace_all(told, "$1").into_owned(),
        Err(_) => told.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn every_table_and_column_of_the_schema_has_a_meaning_and_no_other() {
        let described = describe().unwrap();
        let mut fresh = Connection::open_in_memory().unwrap();
        migrations().run(&mut fresh).unwrap();
        let mut names: Vec<_> =
            described.iter().map(|table| (table.name.clone(), table.kind.clone())).collect();
        names.sort();
        let sql = "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY 1";
        let mut select = fresh.prepare(sql).unwrap();
        let exist = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(names, exist.map(Result::unwrap).collect::<Vec<(String, String)>>());
        for table in described {
            let told = section(&format!("### `{}`", table.name));
            let columns: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
            assert_eq!(columns, told.iter().map(|(name, _)| name).collect::<Vec<_>>());
            assert!(!table.holds.is_empty(), "{}", table.name);
            for Column { name, meaning, .. } in table.columns {
                assert!(!meaning.is_empty() && !meaning.contains("]("), "{name}: {meaning}");
            }
        }
    }
}
