//! An archive that was written anew.

use crate::store::maintain::Compacted;
use serde::Serialize;
use std::io::{self, Write};

const BYTES_A_MIB: u64 = 1 << 20;

/// What `compact --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct CompactView {
    applied: bool,
    bytes_after: u64,
    bytes_before: u64,
}

impl CompactView {
    /// The sizes, and whether the file was written anew.
    pub(crate) fn of(compacted: &Compacted, applied: bool) -> Self {
        Self { applied, bytes_after: compacted.after, bytes_before: compacted.before }
    }
}

/// A size for people, in whole MiB and never nothing.
pub(crate) fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_A_MIB)
}

/// The same in a line.
pub(crate) fn write_compact(
    compacted: &Compacted,
    applied: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (before, after) = (mebibytes(compacted.before), mebibytes(compacted.after));
    if applied {
        writeln!(out, "compacted from {before} MiB to {after} MiB, checked")
    } else {
        writeln!(out, "{before} MiB, of which about {after} MiB are in use")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_compaction_stays_as_it_is() {
        let compacted = Compacted { before: 8_192, after: 4_096 };
        assert_eq!(
            json_line(&CompactView::of(&compacted, true)),
            "{\"applied\":true,\"bytes_after\":4096,\"bytes_before\":8192}\n"
        );
    }
}
