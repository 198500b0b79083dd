//! What was pruned, or would be.

use crate::domain::{Cell, count_to_i64, counted};
use crate::render::{Renderer, Screen, Style};
use crate::store::maintain::{FunctionPrune, Kept, PrunePlan};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// What `prune --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct PruneView<'a> {
    applied: bool,
    cutoff: String,
    functions: Vec<FunctionView<'a>>,
    records: u64,
}

#[derive(Debug, Serialize)]
struct FunctionView<'a> {
    begin_time: Option<String>,
    days: usize,
    end_time: Option<String>,
    function: &'a str,
    kept_days: KeptView,
    records: u64,
}

/// Old days that are kept, by the reason.
#[derive(Debug, Serialize)]
struct KeptView {
    not_settled: u64,
    open: u64,
    shared: u64,
}

impl<'a> PruneView<'a> {
    /// What is to be removed; whether it was.
    pub(crate) fn of(plan: &'a PrunePlan, applied: bool) -> Self {
        Self {
            applied,
            cutoff: plan.cutoff.to_string(),
            functions: plan.functions.iter().map(FunctionView::of).collect(),
            records: plan.records(),
        }
    }
}

impl<'a> FunctionView<'a> {
    fn of(function: &'a FunctionPrune) -> Self {
        let (begin, end) = bounds(function);
        let kept = |why| function.kept.get(&why).copied().unwrap_or_default();
        Self {
            begin_time: begin,
            days: function.days.len(),
            end_time: end,
            function: &function.name,
            kept_days: KeptView {
                not_settled: kept(Kept::NotSettled),
                open: kept(Kept::Open),
                shared: kept(Kept::Shared),
            },
            records: function.records(),
        }
    }
}

/// From when until when something of a function is removed.
fn bounds(function: &FunctionPrune) -> (Option<String>, Option<String>) {
    let mut ranges = function.days.values().map(|(range, _)| *range);
    let first = ranges.next();
    let last = ranges.next_back().or(first);
    (first.map(|range| range.begin().to_string()), last.map(|range| range.end().to_string()))
}

/// A table of the functions, and what it comes to.
pub(crate) fn write_prune(
    plan: &PrunePlan,
    applied: bool,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    if plan.functions.is_empty() {
        return writeln!(out, "nothing to prune: no day with records ended by {}", plan.cutoff);
    }
    let columns = ["function", "begin", "end", "days", "records", "kept_days"];
    let mut renderer = Renderer::begin(Style::table(screen), &columns.map(str::to_owned), out)?;
    plan.functions.iter().try_for_each(|function| renderer.row(&cells(function)))?;
    renderer.finish()?;
    let days = plan.functions.iter().map(|function| function.days.len()).sum::<usize>();
    let days_told = if days == 1 { "one day".to_owned() } else { format!("{days} days") };
    let told = format!("{} of {days_told}", counted(plan.records(), "record"));
    writeln!(out)?;
    match (applied, days) {
        (_, 0) => writeln!(out, "nothing to prune"),
        (true, _) => writeln!(out, "pruned {told}; `compact` gives their space back"),
        (false, _) => writeln!(out, "would prune {told}; --apply does it"),
    }
}

fn cells(function: &FunctionPrune) -> [Cell<'_>; 6] {
    let text = |text: Option<String>| text.map_or(Cell::Null, |text| Cell::Text(text.into()));
    let (begin, end) = bounds(function);
    [
        Cell::Text(Cow::Borrowed(&function.name)),
        text(begin),
        text(end),
        Cell::Integer(count_to_i64(function.days.len() as u64)),
        Cell::Integer(count_to_i64(function.records())),
        text(kept(function)),
    ]
}

/// The old days that are kept, in words.
fn kept(function: &FunctionPrune) -> Option<String> {
    let word = |why: &Kept| match why {
        Kept::Young => "too young",
        Kept::NotSettled => "not settled",
        Kept::Open => "with open records",
        Kept::Shared => "with shared records",
    };
    let told: Vec<String> =
        function.kept.iter().map(|(why, days)| format!("{days} {}", word(why))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Interval;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    fn day(day: u8, records: u64) -> (String, (Interval, u64)) {
        let midnight = |day: u8| format!("2026-03-{day:02}T00:00:00Z").parse().unwrap();
        let range = Interval::new(midnight(day), midnight(day + 1)).unwrap();
        (format!("2026-03-{day:02}"), (range, records))
    }

    fn plan() -> PrunePlan {
        let mut function = FunctionPrune::default();
        function.name = "default:f".to_owned();
        function.days = [day(1, 5), day(4, 2)].into();
        function.kept = [(Kept::NotSettled, 1), (Kept::Open, 2)].into();
        PrunePlan { cutoff: "2026-03-05T00:00:00Z".parse().unwrap(), functions: vec![function] }
    }

    #[test]
    fn the_json_of_a_prune_stays_as_it_is() {
        assert_eq!(
            json_line(&PruneView::of(&plan(), true)),
            "{\"applied\":true,\"cutoff\":\"2026-03-05T00:00:00Z\",\"functions\":[{\
             \"begin_time\":\"2026-03-01T00:00:00Z\",\"days\":2,\
             \"end_time\":\"2026-03-05T00:00:00Z\",\"function\":\"default:f\",\
             \"kept_days\":{\"not_settled\":1,\"open\":2,\"shared\":0},\"records\":7}],\
             \"records\":7}\n"
        );
        let nothing = PrunePlan { functions: Vec::new(), ..plan() };
        assert_eq!(
            json_line(&PruneView::of(&nothing, false)),
            "{\"applied\":false,\"cutoff\":\"2026-03-05T00:00:00Z\",\"functions\":[],\
             \"records\":0}\n"
        );
    }

    #[test]
    fn people_are_told_what_is_removed_and_what_is_kept() {
        let told = |plan: &PrunePlan, applied| {
            let mut out = Vec::new();
            write_prune(plan, applied, Screen::default(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = told(&plan(), false);
        assert!(text.contains("1 not settled, 2 with open records"), "{text}");
        assert!(text.ends_with("\nwould prune 7 records of 2 days; --apply does it\n"), "{text}");
        assert!(told(&plan(), true).contains("\npruned 7 records of 2 days"));
        let nothing = PrunePlan { functions: Vec::new(), ..plan() };
        assert!(told(&nothing, true).starts_with("nothing to prune"));
    }
}
