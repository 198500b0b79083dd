//! A copy that was made.

use crate::domain::counted;
use crate::render::on_one_line;
use crate::store::maintain::Copied;
use serde::Serialize;
use std::io::{self, Write};

const BYTES_A_MIB: u64 = 1 << 20;

/// What `backup --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct BackupView<'a> {
    bytes: u64,
    file: &'a str,
    records: u64,
    verified: bool,
}

impl<'a> BackupView<'a> {
    /// The copy under the name that is shown of it. A copy that could not be verified is none.
    pub(crate) fn of(file: &'a str, copied: &Copied) -> Self {
        Self { bytes: copied.bytes, file, records: copied.records, verified: true }
    }
}

/// The same in a line.
pub(crate) fn write_backup(file: &str, copied: &Copied, out: &mut dyn Write) -> io::Result<()> {
    let Copied { records, bytes, .. } = copied;
    let mebibytes = bytes.div_ceil(BYTES_A_MIB);
    let records = counted(*records, "record");
    writeln!(out, "{}: {records}, {mebibytes} MiB, verified", on_one_line(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;
    use std::path::PathBuf;

    #[test]
    fn the_json_of_a_backup_stays_as_it_is() {
        let copied = |records, bytes| Copied { place: PathBuf::from("/srv/a.db"), records, bytes };
        assert_eq!(
            json_line(&BackupView::of("a.db", &copied(7, 4096))),
            "{\"bytes\":4096,\"file\":\"a.db\",\"records\":7,\"verified\":true}\n"
        );
        assert_eq!(
            json_line(&BackupView::of("", &copied(0, 0))),
            "{\"bytes\":0,\"file\":\"\",\"records\":0,\"verified\":true}\n"
        );
    }
}
