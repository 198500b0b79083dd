//! The small chart of a function in a line of a table: its records over the period, and those that
//! failed.

use super::answer::AnswerRow;
use super::buckets::BucketSpan;
use super::ledger::{Known, Ledger};
use super::scale::{Column, Scale, stairs};
use super::text;
use crate::domain::Interval;
use std::collections::HashMap;

/// Its size, in units of the drawing.
pub(super) const WIDTH: f64 = 130.0;
pub(super) const HEIGHT: f64 = 24.0;

/// A small chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SparkView {
    pub(super) records: String,
    pub(super) failed: String,
    pub(super) title: String,
}

impl SparkView {
    /// The rows of a report that tell of one thing, each with its `bucket`, its `records`, and how
    /// many of them `failed` where that is told. The ledger tells where nothing can be said.
    pub(super) fn of<'a>(
        rows: impl Iterator<Item = AnswerRow<'a>>,
        ledger: &Ledger,
        buckets: &[BucketSpan],
        charted: Interval,
    ) -> Self {
        let rows: HashMap<&str, AnswerRow<'_>> =
            rows.map(|row| (row.text("bucket"), row)).collect();
        let row = |bucket: &BucketSpan| rows.get(bucket.label.as_str());
        let count = |bucket: &BucketSpan, column| row(bucket).map_or(0, |row| row.count(column));
        let greatest = buckets.iter().map(|bucket| count(bucket, "records")).max().unwrap_or(0);
        let across = Scale::of_time(charted, (0.0, WIDTH));
        let up = Scale::new((0.0, (greatest.max(1)) as f64), (HEIGHT, 1.0));
        let path = |name: &'static str| {
            stairs(buckets.iter().map(|bucket| {
                let is_proven = || {
                    let part = bucket.span.intersect(charted)?;
                    ledger.worst(part).filter(|known| Known::is_complete(*known))
                };
                let is_told = row(bucket).is_some() || is_proven().is_some();
                is_told.then(|| Column {
                    left: across.at_time(bucket.span.begin()),
                    right: across.at_time(bucket.span.end()),
                    bottom: HEIGHT,
                    top: up.at(count(bucket, name) as f64),
                })
            }))
        };
        let title = format!("at most {} at a time", text::counted(greatest, "record", "records"));
        Self { records: path("records"), failed: path("failed"), title }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;
    use crate::page::buckets::Bucket;
    use crate::page::testing::answer;
    use crate::page::testing::{interval, ledger};
    use pretty_assertions::assert_eq;

    #[test]
    fn the_line_breaks_where_nothing_is_proven() {
        let trend = answer(
            "trend",
            "function | bucket | records | failed
             f | 2026-03-02 | 4 | 1
             g | 2026-03-03 | 9 | 9",
        );
        let charted = interval("02T00", "15T00");
        let buckets = Bucket::Week.list(charted, Zone::UTC);
        let proven = ledger("f 02T00 15T00 settled");
        let rows = || trend.rows().filter(|row| row.text("function") == "f");
        let of = |ledger| SparkView::of(rows(), ledger, &buckets, charted);
        let whole = of(&proven);
        assert_eq!(whole.records, "M0,24V1H70V24H130H70H0Z");
        assert_eq!(whole.failed, "M0,24V18.2H70V24H130H70H0Z");
        assert_eq!(whole.title, "at most 4 records at a time");
        assert_eq!(of(&ledger("f 02T00 09T00 settled")).records, "M0,24V1H70V24H0Z");
    }
}
