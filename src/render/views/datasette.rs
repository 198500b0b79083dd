//! What Datasette is told of an archive: what its tables and columns mean, and the reports as
//! canned queries.

use crate::store::read::Table;
use crate::store::reports::Report;
use serde::Serialize;
use std::collections::BTreeMap;

/// What `query datasette-metadata` prints.
#[derive(Debug, Serialize)]
pub(crate) struct DatasetteView {
    databases: BTreeMap<String, DatabaseView>,
}

#[derive(Debug, Serialize)]
struct DatabaseView {
    queries: BTreeMap<String, QueryView>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tables: BTreeMap<String, TableView>,
}

#[derive(Debug, Serialize)]
struct QueryView {
    description: String,
    sql: String,
    title: String,
}

#[derive(Debug, Serialize)]
struct TableView {
    columns: BTreeMap<String, String>,
    description: String,
}

impl DatasetteView {
    /// Of a database by that name: canned queries, and what these tables mean.
    pub(crate) fn of(database: &str, tables: Vec<Table>) -> Self {
        let table = |table: Table| {
            let columns = table.columns.into_iter();
            let columns = columns.map(|column| (column.name, column.meaning)).collect();
            (table.name, TableView { columns, description: table.holds })
        };
        let query = |report: &Report| {
            let view = QueryView {
                description: report.title().to_owned(),
                sql: report.for_datasette()?,
                title: report.name().to_owned(),
            };
            Some((report.name().to_owned(), view))
        };
        let queries = Report::all().iter().filter_map(query).collect();
        let tables = tables.into_iter().map(table).collect();
        let database = (database.to_owned(), DatabaseView { queries, tables });
        Self { databases: BTreeMap::from([database]) }
    }
}
