//! What a report leaves out of its answer, since records were pruned or it gives only so many rows:
//! said on stderr, so that the answer itself stays as programs read it.

use crate::domain::counted;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, LeftOut, Report};

/// Warns of what an answer leaves out, since it was pruned.
pub(super) fn tell(
    reader: &Reader,
    report: &Report,
    arguments: &Arguments,
) -> Result<(), StoreError> {
    let Some(LeftOut { records, until, at_the_edges }) = reader.left_out(report, arguments)? else {
        return Ok(());
    };
    let pruned = counted(records, "record");
    if at_the_edges {
        tracing::warn!(
            "the range begins or ends within hours that were pruned ({pruned} before {until}): \
             only whole hours are counted there, or three of them where it is about durations"
        );
    } else {
        tracing::warn!(
            "{pruned} from before {until} were pruned: what this report tells of single records \
             leaves them out"
        );
    }
    Ok(())
}

/// Warns where an answer has as many rows as the report gives without being told how many.
pub(super) fn tell_of_limit(report: &Report, arguments: &Arguments, rows: u64) {
    let is_given = arguments.own.iter().any(|(name, _)| name == Report::LIMIT);
    if !is_given && report.usual_limit() == Some(rows) {
        tracing::warn!(
            "there may be more: the report `{}` gives {} where --limit says nothing",
            report.name(),
            counted(rows, "row")
        );
    }
}
