//! The ground of a chart over time: where counts are not whole, it says so behind them.

use super::buckets::BucketSpan;
use super::ledger::{Known, Ledger};
use super::scale::{Scale, place};
use super::text;
use crate::domain::{Interval, Zone};

/// A part of the ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroundView {
    pub(super) x: String,
    pub(super) width: String,
    /// The class that gives it its look.
    pub(super) look: &'static str,
    pub(super) title: String,
}

/// What is known of each bucket; none where no run set out to archive it.
pub(super) fn of_buckets(
    ledger: &Ledger,
    buckets: &[BucketSpan],
    charted: Interval,
) -> Vec<Option<Known>> {
    let inside = |bucket: &BucketSpan| bucket.span.intersect(charted);
    buckets.iter().map(|bucket| ledger.worst(inside(bucket)?)).collect()
}

/// The ground behind buckets, neighbours of one look together. Where no run set out to archive
/// anything it looks like what was not walked.
pub(super) fn ground(
    known: &[Option<Known>],
    buckets: &[BucketSpan],
    scale: Scale,
    zone: Zone,
) -> Vec<GroundView> {
    let mut grounds = Vec::new();
    let mut at = 0;
    while at < known.len() {
        let run = known[at..].iter().take_while(|other| **other == known[at]).count();
        let (begin, end) = (buckets[at].span.begin(), buckets[at + run - 1].span.end());
        let (look, word) = known[at].map_or(
            (Some(Known::NotWalked.class()), "no run set out to archive it"),
            |known| {
                let is_plain = matches!(known, Known::Settled | Known::Proven);
                ((!is_plain).then_some(known.class()), known.word())
            },
        );
        if let Some(look) = look {
            let (left, right) = (scale.at_time(begin), scale.at_time(end));
            let title = format!("{} to {}: {word}", text::time(begin, zone), text::time(end, zone));
            grounds.push(GroundView { x: place(left), width: place(right - left), look, title });
        }
        at += run;
    }
    grounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::buckets::Bucket;
    use crate::page::testing::{interval, ledger};
    use pretty_assertions::assert_eq;

    #[test]
    fn neighbours_of_one_look_are_one_ground() {
        let ledger = ledger(
            "f 02T00 04T00 settled
             f 04T00 05T12 unproven
             f 05T12 06T00 lost
             f 06T00 07T00 settled/switched off",
        );
        let charted = interval("01T00", "08T00");
        let buckets = Bucket::Day.list(charted, Zone::UTC);
        let known = of_buckets(&ledger, &buckets, charted);
        let grounds = ground(&known, &buckets, Scale::of_time(charted, (0.0, 700.0)), Zone::UTC);
        let told: Vec<(&str, &str, &str)> =
            grounds.iter().map(|each| (each.x.as_str(), each.width.as_str(), each.look)).collect();
        assert_eq!(
            told,
            [
                ("0", "100", "not-walked"),
                ("300", "100", "unproven"),
                ("400", "100", "lost"),
                ("500", "100", "switched-off"),
                ("600", "100", "not-walked"),
            ]
        );
        assert_eq!(grounds[1].title, "2026-03-04 00:00 to 2026-03-05 00:00: unproven");
    }
}
