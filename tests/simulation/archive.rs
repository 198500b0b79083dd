//! What an archive holds, read with nothing but SQL.

use crate::showing::Fields;
use crate::world::World;
use fgarchive::domain::{Interval, Status, Timestamp};
use rusqlite::{Connection, Row};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A row of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) range: Interval,
    pub(crate) state: String,
    pub(crate) distinct: i64,
    pub(crate) reported: Option<i64>,
}

/// A row of the history.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) from: Status,
    pub(crate) to: Status,
    pub(crate) after: i64,
    pub(crate) by: i64,
    pub(crate) accepted: bool,
}

/// An archive at rest.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// The stored status of each record of the world that is archived, by its number there.
    pub(crate) statuses: Vec<Option<Status>>,
    pub(crate) given_up: Vec<bool>,
    /// Whose row each is, and what is known in it.
    pub(crate) owners: Vec<Option<usize>>,
    pub(crate) fields: Vec<Fields>,
    /// Which records are kept as those of which other function.
    pub(crate) shared: HashSet<(usize, usize)>,
    /// How many rows the archive has, and how many of them are no record of the world.
    pub(crate) rows: usize,
    pub(crate) strangers: usize,
    /// The ledger of each function of the world.
    pub(crate) windows: Vec<Vec<Window>>,
    pub(crate) history: HashMap<usize, Vec<Change>>,
    /// When each function of the world was taken up, by the clock of that run.
    pub(crate) taken_up: Vec<Option<i64>>,
    /// Whether each function of the world is noted as gone.
    pub(crate) gone: Vec<bool>,
}

fn seconds(row: &Row<'_>, column: usize) -> i64 {
    row.get::<_, String>(column).expect("a text").parse::<Timestamp>().expect("a time").unix()
}

impl Content {
    pub(crate) fn read(path: &Path, world: &World, numbers: &HashMap<String, usize>) -> Self {
        let connection = Connection::open(path).expect("an archive");
        let mut content = Self {
            statuses: vec![None; world.records.len()],
            given_up: vec![false; world.records.len()],
            owners: vec![None; world.records.len()],
            fields: vec![Fields::default(); world.records.len()],
            windows: vec![Vec::new(); world.functions.len()],
            taken_up: vec![None; world.functions.len()],
            gone: vec![false; world.functions.len()],
            ..Self::default()
        };
        // A power failure can undo the making of the archive itself.
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'invocations'";
        if connection.query_row(tables, [], |row| row.get::<_, i64>(0)).expect("a schema") == 0 {
            return content;
        }
        let functions = content.read_functions(&connection, world);
        let mut select = connection
            .prepare(
                "SELECT request_id, status, given_up_at IS NOT NULL, function_id,
                     start_time IS NOT NULL,
                        extra IS NOT NULL, error_code IS NOT NULL, error_message IS NOT NULL,
                            end_time IS NOT NULL
                   FROM invocations",
            )
            .expect("a statement");
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            content.rows += 1;
            let Some(&number) =
                numbers.get(row.get_ref(0).expect("an id").as_str().expect("a text"))
            else {
                content.strangers += 1;
                continue;
            };
            content.statuses[number] =
                Some(Status::parse(row.get_ref(1).expect("a status").as_str().expect("a text")));
            content.given_up[number] = row.get(2).expect("a flag");
            content.owners[number] = functions.get(&row.get(3).expect("a function")).copied();
            content.fields[number] =
                Fields::known([4, 5, 6, 7, 8].map(|column| row.get(column).expect("a flag")));
        }
        drop(rows);
        drop(select);
        content.read_shared(&connection, numbers, &functions);
        content.read_windows(&connection, world);
        content.read_history(&connection, numbers);
        content
    }

    fn read_shared(
        &mut self,
        connection: &Connection,
        numbers: &HashMap<String, usize>,
        functions: &HashMap<i64, usize>,
    ) {
        let mut select = connection
            .prepare("SELECT request_id, function_id FROM shared_records")
            .expect("a statement");
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let number = numbers[row.get_ref(0).expect("an id").as_str().expect("a text")];
            self.shared.insert((number, functions[&row.get(1).expect("a function")]));
        }
    }

    /// Takes in when each function was taken up; the functions by their ids.
    fn read_functions(&mut self, connection: &Connection, world: &World) -> HashMap<i64, usize> {
        let mut select = connection
            .prepare("SELECT urn, first_seen_at, id, gone_at IS NOT NULL FROM functions")
            .expect("a statement");
        let mut rows = select.query([]).expect("rows");
        let mut functions = HashMap::new();
        while let Some(row) = rows.next().expect("a row") {
            let urn: String = row.get(0).expect("a URN");
            let function = world
                .functions
                .iter()
                .position(|known| known.to_string() == urn)
                .expect("a function");
            self.taken_up[function] = Some(seconds(row, 1));
            self.gone[function] = row.get(3).expect("a flag");
            functions.insert(row.get(2).expect("an id"), function);
        }
        functions
    }

    fn read_windows(&mut self, connection: &Connection, world: &World) {
        let mut select = connection
            .prepare(
                "SELECT w.begin_time, w.end_time, w.state, w.distinct_count, w.reported_count, f.urn
                   FROM windows w JOIN functions f ON f.id = w.function_id ORDER BY w.begin_time",
            )
            .expect("a statement");
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let urn: String = row.get(5).expect("a URN");
            let function = world
                .functions
                .iter()
                .position(|known| known.to_string() == urn)
                .expect("a function");
            let [begin, end] = [0, 1].map(|column| Timestamp::from_unix(seconds(row, column)));
            self.windows[function].push(Window {
                range: Interval::new(begin, end).expect("a range"),
                state: row.get(2).expect("a state"),
                distinct: row.get(3).expect("a count"),
                reported: row.get(4).expect("a count"),
            });
        }
    }

    fn read_history(&mut self, connection: &Connection, numbers: &HashMap<String, usize>) {
        let mut select = connection
            .prepare(
                "SELECT request_id, from_status, to_status, after_time, by_time, accepted
                   FROM status_changes ORDER BY id",
            )
            .expect("a statement");
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let Some(&number) =
                numbers.get(row.get_ref(0).expect("an id").as_str().expect("a text"))
            else {
                continue;
            };
            let status = |column| Status::parse(&row.get::<_, String>(column).expect("a status"));
            self.history.entry(number).or_default().push(Change {
                from: status(1),
                to: status(2),
                after: seconds(row, 3),
                by: seconds(row, 4),
                accepted: row.get(5).expect("a flag"),
            });
        }
    }
}
