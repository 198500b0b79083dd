//! How far a function is proven, as a bar as long as the period.

use super::ledger::{Known, Ledger};
use super::scale::{Scale, place};
use super::spark::WIDTH;
use super::text;
use crate::domain::Interval;

/// A bar of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BarView {
    pub(super) parts: Vec<PartView>,
    /// What it shows, in words.
    pub(super) title: String,
}

/// A part of a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartView {
    pub(super) x: String,
    pub(super) width: String,
    pub(super) look: &'static str,
}

/// No part is narrower: what is lost must be seen.
const LEAST_WIDTH: f64 = 2.0;

impl BarView {
    /// The ranges of one function.
    pub(super) fn of(ledger: &Ledger, charted: Interval) -> Self {
        let across = Scale::of_time(charted, (0.0, WIDTH));
        let mut parts: Vec<(f64, f64, &'static str)> = Vec::new();
        for each in &ledger.ranges {
            let (left, right) =
                (across.at_time(each.range.begin()), across.at_time(each.range.end()));
            let look =
                if each.known == Known::Proven { Known::Settled } else { each.known }.class();
            match parts.last_mut() {
                // Ranges that are too narrow to be told apart are drawn as the one before.
                Some(last) if last.2 == look && left - last.1 < LEAST_WIDTH => last.1 = right,
                _ => parts.push((left, right.max(left + LEAST_WIDTH), look)),
            }
        }
        let part = |(left, right, look): (f64, f64, &'static str)| PartView {
            x: place(left),
            width: place(right - left),
            look,
        };
        Self { parts: parts.into_iter().map(part).collect(), title: title(ledger, charted) }
    }
}

fn title(ledger: &Ledger, charted: Interval) -> String {
    let length = |is_meant: &dyn Fn(Known) -> bool| -> i64 {
        let ranges = ledger.ranges.iter().filter(|range| is_meant(range.known));
        ranges.map(|range| range.range.seconds()).sum()
    };
    let share = 100.0 * length(&Known::is_complete) as f64 / charted.seconds() as f64;
    let looks = Known::LOOKS.into_iter().filter_map(|known| {
        let length = length(&|other| other == known);
        (length > 0).then(|| format!("{} {}", text::seconds(length), known.word()))
    });
    // Rounded down: what is almost whole is not whole.
    let share = text::percent((share * 100.0).floor() / 100.0);
    let told: Vec<String> = [format!("{share} proven")].into_iter().chain(looks).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::{interval, ledger};
    use pretty_assertions::assert_eq;

    #[test]
    fn what_is_lost_is_seen_however_short_it_was() {
        let ledger = ledger(
            "f 02T00 08T00 settled
             f 08T00 08T01 lost
             f 08T01 15T00 proven",
        );
        let bar = BarView::of(&ledger, interval("02T00", "15T00"));
        let looks: Vec<&str> = bar.parts.iter().map(|part| part.look).collect();
        assert_eq!(looks, ["settled", "lost", "settled"]);
        assert_eq!(bar.parts[1].width, "2");
        assert_eq!(bar.title, "99.67 % proven, 1h 0m lost");
    }
}
