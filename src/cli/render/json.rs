//! JSON: one array, or one object a line.

use crate::store::Cell;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::HashSet;
use std::io::{self, Write};

/// How objects follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// In one array, a line each.
    Array,
    /// A line each, and nothing around them.
    Lines,
}

/// Writes objects.
pub(super) struct Json<'w> {
    keys: Vec<String>,
    layout: Layout,
    rows: u64,
    /// One object, so that stdout gets a line at a time and not a token.
    line: Vec<u8>,
    out: &'w mut dyn Write,
}

impl<'w> Json<'w> {
    pub(super) fn begin(columns: &[String], layout: Layout, out: &'w mut dyn Write) -> io::Result<Self> {
        if layout == Layout::Array {
            out.write_all(b"[")?;
        }
        Ok(Self { keys: distinct(columns), layout, rows: 0, line: Vec::new(), out })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line.clear();
        match (self.layout, self.rows) {
            (Layout::Lines, _) => {}
            (Layout::Array, 0) => self.line.push(b'\n'),
            (Layout::Array, _) => self.line.extend(b",\n"),
        }
        serde_json::to_writer(&mut self.line, &Object { keys: &self.keys, cells })?;
        if self.layout == Layout::Lines {
            self.line.push(b'\n');
        }
        self.rows += 1;
        self.out.write_all(&self.line)
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match (self.layout, self.rows) {
            (Layout::Lines, _) => Ok(()),
            (Layout::Array, 0) => self.out.write_all(b"]\n"),
            (Layout::Array, _) => self.out.write_all(b"\n]\n"),
        }
    }
}

/// The columns as keys: two of one name would hide each other, so the second becomes `name_2`.
fn distinct(columns: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut keys = Vec::with_capacity(columns.len());
    for column in columns {
        let mut key = column.clone();
        let mut copy = 1;
        while !taken.insert(key.clone()) {
            copy += 1;
            key = format!("{column}_{copy}");
        }
        keys.push(key);
    }
    keys
}

struct Object<'a> {
    keys: &'a [String],
    cells: &'a [Cell<'a>],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (key, cell) in self.keys.iter().zip(self.cells) {
            match cell {
                Cell::Null => map.serialize_entry(key, &())?,
                Cell::Integer(number) => map.serialize_entry(key, number)?,
                Cell::Real(number) => map.serialize_entry(key, number)?,
                Cell::Text(text) => map.serialize_entry(key, text)?,
                Cell::Blob(bytes) => map.serialize_entry(key, &hex::encode(bytes))?,
            }
        }
        map.end()
    }
}
