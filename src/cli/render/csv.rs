//! Comma-separated values, with a header line.

use super::text::plain;
use crate::store::Cell;
use std::io::{self, Write};

/// Writes records.
pub(super) struct Csv<'w>(csv::Writer<&'w mut dyn Write>);

impl<'w> Csv<'w> {
    pub(super) fn begin(columns: &[String], out: &'w mut dyn Write) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(columns).map_err(to_io)?;
        Ok(Self(writer))
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(plain(cell).as_bytes()).map_err(to_io)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(to_io)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A closed pipe must be seen as one.
fn to_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
