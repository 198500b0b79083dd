//! Which of the conditions that the program knows itself hold.

use crate::domain::{BuiltIn, Timestamp, counted};
use crate::plan::alerts::Finding;
use crate::plan::forecast::Warning;
use crate::store::read::{ArchiveStatus, FunctionStatus, Trouble};
use std::time::Duration;

/// A gap is most often closed by the next run, or the one after it.
const GAP_PATIENCE: Duration = Duration::from_hours(1);

/// What holds, but for what a check finds. `max_age` is how long no run may have been good.
pub(crate) fn conditions(
    status: &ArchiveStatus,
    trouble: &Trouble,
    max_age: Duration,
    now: Timestamp,
) -> Vec<Finding> {
    // Of a function that is gone nothing more comes.
    let there = status.functions.iter().filter(|function| function.gone_at.is_none());
    let lost = status.functions.iter().filter_map(lost);
    let refused = trouble
        .refused
        .iter()
        .map(|source| finding(BuiltIn::Refused, source, "the service refused access".to_owned()));
    let late = trouble.late.iter().map(|(function, records)| Finding {
        amount: Some(*records),
        ..finding(
            BuiltIn::Late,
            function,
            format!(
                "{} came later than the settle delay waits for",
                counted(u64::try_from(*records).unwrap_or(0), "record")
            ),
        )
    });
    no_good_run(status, trouble, max_age, now)
        .into_iter()
        .chain(refused)
        .chain(there.flat_map(|function| of_function(function, now)))
        .chain(lost)
        .chain(late)
        .collect()
}

/// What a check found: the rules that do not hold.
pub(crate) fn check_finding(rules: &[&str]) -> Option<Finding> {
    let text = || format!("a check of the archive found something: {}", rules.join(", "));
    (!rules.is_empty()).then(|| finding(BuiltIn::Check, "", text()))
}

fn finding(condition: BuiltIn, subject: &str, text: String) -> Finding {
    Finding {
        name: condition.as_str().to_owned(),
        subject: subject.to_owned(),
        text,
        patience: Duration::ZERO,
        amount: None,
    }
}

fn no_good_run(
    status: &ArchiveStatus,
    trouble: &Trouble,
    max_age: Duration,
    now: Timestamp,
) -> Option<Finding> {
    let since = status.last_good_run.or(trouble.first_run)?;
    let text = match status.last_good_run {
        Some(at) => format!("the last run that left nothing to do ended at {at}"),
        None => format!("no run has left nothing to do since the first at {since}"),
    };
    (since + max_age < now).then(|| finding(BuiltIn::NoGoodRun, "", text))
}

fn of_function(function: &FunctionStatus, now: Timestamp) -> Vec<Finding> {
    let gaps = function.coverage.gaps;
    let gap = (gaps.count > 0).then(|| {
        let why = function.unproven.as_ref().map(|it| format!(": {}", it.warning()));
        let (long, why) = (in_words(gaps.seconds), why.unwrap_or_default());
        let text = format!("{long} of it is not proven{why}");
        Finding { patience: GAP_PATIENCE, ..finding(BuiltIn::Gap, &function.name, text) }
    });
    let warnings = function.forecast.warnings(now).map(|warning| {
        let condition = match warning {
            Warning::NotRecorded { .. } => BuiltIn::NotRecorded,
            Warning::FallsSoon { .. } | Warning::MayHaveFallen { .. } => BuiltIn::AboutToBeLost,
        };
        finding(condition, &function.name, warning.to_string())
    });
    gap.into_iter().chain(warnings).collect()
}

fn lost(function: &FunctionStatus) -> Option<Finding> {
    let seconds = function.coverage.lost.seconds;
    let text = || {
        format!("{} of it was forgotten by the service before it was archived", in_words(seconds))
    };
    let finding = || finding(BuiltIn::Lost, &function.name, text());
    (seconds > 0).then(|| Finding { amount: Some(seconds), ..finding() })
}

fn in_words(seconds: i64) -> String {
    let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    humantime::format_duration(duration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::coverage::{Coverage, Extent};
    use crate::plan::forecast::{LossForecast, Recording};
    use pretty_assertions::assert_eq;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000 + hour * 3_600)
    }

    fn function(name: &str, coverage: Coverage, forecast: LossForecast) -> FunctionStatus {
        FunctionStatus {
            name: name.to_owned(),
            urn: String::new(),
            gone_at: None,
            coverage,
            last_walk: None,
            unproven: None,
            records: 0,
            pruned: None,
            open: 0,
            forecast,
        }
    }

    fn holds(status: &ArchiveStatus, trouble: &Trouble) -> Vec<String> {
        let found = conditions(status, trouble, Duration::from_hours(2), at(10));
        let told = |it: Finding| {
            let amount = it.amount.map_or(String::new(), |amount| format!(" {amount}"));
            format!("{} {}{amount}", it.name, it.subject)
        };
        found.into_iter().map(told).collect()
    }

    fn status(last_good_run: Option<i64>, functions: Vec<FunctionStatus>) -> ArchiveStatus {
        ArchiveStatus { last_good_run: last_good_run.map(at), last_run: None, functions }
    }

    #[test]
    fn a_run_was_good_long_enough_ago() {
        let first = |hour| Trouble { first_run: Some(at(hour)), ..Trouble::default() };
        for (last_good, first_run, expected) in
            [(Some(8), 0, false), (Some(7), 0, true), (None, 8, false), (None, 7, true)]
        {
            let told = holds(&status(last_good, vec![]), &first(first_run));
            assert_eq!(!told.is_empty(), expected, "{last_good:?} {first_run}");
        }
        assert_eq!(holds(&status(None, vec![]), &Trouble::default()), [""; 0], "nothing ran yet");
    }

    #[test]
    fn each_condition_is_told_of_what_it_holds() {
        let hour = Extent { count: 1, seconds: 3_600 };
        let off = Recording { enabled: Some(false), since: at(0), asked_at: at(1) };
        let off = LossForecast { recording: Some(off), ..LossForecast::default() };
        let old = LossForecast { pending_since: Some(at(-15)), ..LossForecast::default() };
        let gaps = Coverage { gaps: hour, ..Coverage::default() };
        let lost = Coverage { lost: hour, ..Coverage::default() };
        let mut gone = function("gone", Coverage { lost: hour, ..gaps }, off);
        gone.gone_at = Some(at(1));
        let functions = vec![
            function("a", gaps, LossForecast::default()),
            function("b", lost, LossForecast::default()),
            function("c", Coverage::default(), off),
            function("d", Coverage::default(), old),
            gone,
        ];
        let trouble = Trouble {
            first_run: None,
            refused: vec!["shop".to_owned()],
            late: vec![("a".to_owned(), 3)],
        };
        assert_eq!(
            holds(&status(Some(10), functions), &trouble),
            [
                "refused shop",
                "gap a",
                "not-recorded c",
                "about-to-be-lost d",
                "lost b 3600",
                "lost gone 3600",
                "late a 3"
            ]
        );
    }

    #[test]
    fn a_check_that_found_nothing_is_no_finding() {
        assert_eq!(check_finding(&[]), None);
        let found = check_finding(&["digests", "times"]).unwrap();
        assert_eq!(found.text, "a check of the archive found something: digests, times");
    }
}
