//! JSON: one array, or one object a line.

use super::one_line::is_unsafe;
use super::text::Hexadecimal;
use crate::domain::Cell;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::Formatter;
use std::collections::HashSet;
use std::io::{self, Write};

/// Writes a value as one line of JSON. What a terminal would obey or reorder is written as `\\u`
/// and four digits, which means the same to every reader of JSON.
pub(crate) fn write_line(value: &impl Serialize, mut out: &mut dyn Write) -> io::Result<()> {
    write_object(value, &mut out)?;
    out.write_all(b"\n")
}

fn write_object(value: &impl Serialize, out: impl Write) -> io::Result<()> {
    value
        .serialize(&mut serde_json::Serializer::with_formatter(out, Printable))
        .map_err(io::Error::from)
}

/// Compact JSON of printable characters.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unsafe) {
            out.write_all(&rest.as_bytes()[..at])?;
            let character = rest[at..].chars().next().unwrap_or_default();
            // All of them lie below U+FFFF, so that none takes two escapes.
            write!(out, "\\u{:04x}", u32::from(character))?;
            rest = &rest[at + character.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

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
    out: &'w mut dyn Write,
}

impl<'w> Json<'w> {
    pub(super) fn begin(
        columns: &[String],
        layout: Layout,
        out: &'w mut dyn Write,
    ) -> io::Result<Self> {
        if layout == Layout::Array {
            out.write_all(b"[")?;
        }
        Ok(Self { keys: distinct(columns), layout, rows: 0, out })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        match (self.layout, self.rows) {
            (Layout::Lines, _) => {}
            (Layout::Array, 0) => self.out.write_all(b"\n")?,
            (Layout::Array, _) => self.out.write_all(b",\n")?,
        }
        self.rows += 1;
        // Straight to the (buffered) output: an object may be as large as the memory that a
        // question may use.
        let object = Object { keys: &self.keys, cells };
        match self.layout {
            Layout::Lines => write_line(&object, self.out),
            Layout::Array => write_object(&object, &mut *self.out),
        }
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

/// Written piece by piece, as a text.
impl Serialize for Hexadecimal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
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
                Cell::Blob(bytes) => map.serialize_entry(key, &Hexadecimal(bytes))?,
            }
        }
        map.end()
    }
}
