//! What a run did in one project, and how it ended there.

use super::function::FunctionReport;
use super::words::{first_named, lost_of};
use crate::api::CallFailure;
use crate::domain::{Counts, counted};
use crate::error::{Failure, FailureKind, Step};
use crate::plan::clocks::Moment;
use crate::requester::ListReport;
use crate::store::write::{Comparison, Ending};
use crate::sync::failure::to_failure;

/// Why a run ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody told it to.
    Interrupted,
    /// The time that it was given was over.
    OutOfTime,
}

/// What a run did in one project.
#[derive(Clone, Debug)]
pub struct SourceReport {
    /// Its name, unique within the run.
    pub name: Box<str>,
    /// When the run began, by its clock and the machine's.
    pub began_at: Moment,
    /// What became of each function.
    pub functions: Vec<FunctionReport>,
    /// How settled windows that were walked again compare with what was archived.
    pub verified: Vec<Comparison>,
    /// What came of the list of functions, where it was asked for.
    pub list: Option<ListReport>,
    /// Why the service refused us, or no longer answered, if it did.
    pub refusal: Option<CallFailure>,
    /// Whether it was found to be down.
    pub is_down: bool,
    /// Whether the run came to know which functions it has, and what there is to do.
    pub is_prepared: bool,
    /// Why the run ended before it was done, if it did.
    pub stopped: Option<Stopped>,
    /// Whether the run was to verify, so that what it found is what it came for.
    pub is_verification: bool,
    /// What was done, in numbers.
    pub counts: Counts,
}

impl SourceReport {
    /// How it ended; none when it is complete.
    ///
    /// What verifying found goes before what it could not ask: it is repaired by now, and no later
    /// run finds it again.
    pub fn failure_kind(&self) -> Option<FailureKind> {
        match &self.refusal {
            Some(refusal) if refusal.is_denied() => Some(FailureKind::Denied),
            Some(refusal) if refusal.is_misconfigured() => Some(FailureKind::Usage),
            None if self.is_interrupted() => Some(FailureKind::Interrupted),
            _ if self.is_verification && self.discrepancies() > 0 => Some(FailureKind::Finding),
            None if self.is_whole() => None,
            _ => Some(FailureKind::Incomplete),
        }
    }

    /// Whether the run was told to stop.
    pub fn is_interrupted(&self) -> bool {
        self.stopped == Some(Stopped::Interrupted)
    }

    /// Whether everything that was pending is proven, of every function there is.
    fn is_whole(&self) -> bool {
        let is_listed = self.list.as_ref().is_none_or(ListReport::is_whole);
        self.is_prepared && is_listed && self.functions.iter().all(FunctionReport::is_complete)
    }

    /// The outcome in a word.
    pub fn outcome(&self) -> &'static str {
        match self.failure_kind() {
            None => "complete",
            Some(FailureKind::Denied) => "denied",
            Some(FailureKind::Interrupted) => "interrupted",
            Some(FailureKind::Finding) => "found",
            Some(_) => "incomplete",
        }
    }

    /// The exit code that the run would have with this source alone.
    pub fn exit_code(&self) -> u8 {
        self.failure_kind().map_or(0, FailureKind::exit_code)
    }

    pub(in crate::sync) fn ending(&self) -> Ending {
        Ending { outcome: self.outcome(), exit_code: self.exit_code() }
    }

    /// How many records were late, changed or gone in the settled windows that were walked again.
    pub fn discrepancies(&self) -> u64 {
        self.verified.iter().map(|window| window.late + window.changed + window.gone).sum()
    }

    /// The failure to show, if it was not complete.
    pub fn failure(&self) -> Option<Failure> {
        let kind = self.failure_kind()?;
        let failure = match kind {
            FailureKind::Interrupted => {
                Failure::new(kind, "the run was interrupted; what it fetched is kept")
                    .hint("run it again: it goes on where it stopped")
            }
            FailureKind::Finding => self.finding_failure(),
            _ => self
                .first_call_failure()
                .or_else(|| self.list_failure())
                .or_else(|| self.out_of_time_failure())
                .or_else(|| self.unproven_failure())
                .or_else(|| self.lost_failure())
                .or_else(|| self.ahead_failure())
                .or_else(|| self.unclaimed_failure())
                .unwrap_or_else(|| self.unfinished_failure()),
        };
        Some(Failure { kind, ..failure })
    }

    fn first_call_failure(&self) -> Option<Failure> {
        let failed = || self.functions.iter().filter(|function| function.failure.is_some());
        let of_function = || failed().next().and_then(|function| function.failure.as_ref());
        let first = self.refusal.as_ref().or_else(of_function)?;
        let others = failed().count().saturating_sub(1);
        let mut failure = to_failure(first.clone());
        if self.is_down {
            let end = "nothing else was answered either, so the run ended; what it fetched is kept";
            failure.message = format!("{}; {end}", failure.message);
        } else if others > 0 {
            let more = counted(others, "more function");
            let names = failed().skip(1).take(MOST_NAMED).map(|other| other.urn.full_name());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            let rest = if others > names.len() { ", ..." } else { "" };
            let names = names.join(", ");
            failure.message = format!("{}; {more} failed ({names}{rest})", failure.message);
        }
        Some(failure)
    }

    fn finding_failure(&self) -> Failure {
        let windows = self.verified.iter().filter(|window| window.differs()).count();
        let message = format!(
            "the service shows {} of {} otherwise than the archive",
            counted(self.discrepancies(), "record"),
            counted(windows, "settled window")
        );
        Failure::new(FailureKind::Finding, message).hint(Step::SettleLater)
    }

    fn list_failure(&self) -> Option<Failure> {
        let list = self.list.as_ref()?;
        let kept = "those that are known are archived";
        let unreadable = (list.unreadable > 0).then(|| {
            let entries = counted(list.unreadable, "entry");
            let message = format!("{entries} of the list of functions cannot be read; {kept}");
            Failure::new(FailureKind::Incomplete, message).hint(Step::ReadRejects)
        });
        let doubtful = list.problem.as_ref().map(|problem| {
            let message =
                format!("the list of functions could not be proven complete: {problem}; {kept}");
            Failure::new(FailureKind::Incomplete, message)
                .hint("run it again; functions can also be named one by one")
        });
        doubtful.or(unreadable)
    }

    fn out_of_time_failure(&self) -> Option<Failure> {
        let left = self.functions.iter().filter(|function| !function.is_complete()).count();
        let of = counted(self.functions.len(), "function");
        let (before, hint) = if self.is_prepared {
            let before = format!("{left} of {of} were done; what it fetched is kept");
            (before, "the next run begins with those that have waited longest")
        } else {
            let before = "it was known what there is to do".to_owned();
            (before, "allow it more time: without a limit, a run tells what the service answered")
        };
        let message = format!("the time for the run was over before {before}");
        (self.stopped == Some(Stopped::OutOfTime))
            .then(|| Failure::new(FailureKind::Incomplete, message).hint(hint))
    }

    fn unproven_failure(&self) -> Option<Failure> {
        let ranges: usize = self.functions.iter().map(|function| function.unproven.len()).sum();
        let mut first = self
            .functions
            .iter()
            .filter_map(|function| Some((function, function.unproven.first()?)));
        let (FunctionReport { urn, .. }, (range, reason)) = first.next()?;
        let (ranges, function) = (counted(ranges, "range"), urn.full_name());
        let message = format!(
            "{ranges} could not be proven complete; what came of it is kept (`{function}`, \
             {range}: {reason})"
        );
        Some(Failure::new(FailureKind::Incomplete, message).hint(Step::WalkAgain))
    }

    fn lost_failure(&self) -> Option<Failure> {
        let has_lost =
            |function: &&FunctionReport| function.gone.is_none() && !function.lost.is_empty();
        let of: Vec<&FunctionReport> = self.functions.iter().filter(has_lost).collect();
        let ranges = of.iter().map(|function| function.lost.len()).sum::<usize>();
        let message = format!(
            "{} not archived before the service forgot them, in {}",
            lost_of(&of)?,
            counted(ranges, "range")
        );
        Some(Failure::new(FailureKind::Incomplete, message).hint(Step::RunMoreOften))
    }

    fn ahead_failure(&self) -> Option<Failure> {
        let ahead = |function: &&FunctionReport| function.ledger_ahead;
        let first = self
            .functions
            .iter()
            .max_by_key(ahead)
            .filter(|function| function.ledger_ahead.is_some())?;
        let (until, earlier) = (first.ledger_ahead?, self.began_at.earlier());
        let message = format!(
            "the ledger of {} claims what had not come yet, until {until}: a clock is wrong, or \
             was{}",
            first.urn.full_name(),
            if earlier < until { format!("; by one it is {earlier}") } else { String::new() },
        );
        Some(Failure::new(FailureKind::Incomplete, message).hint(COMPARE_CLOCKS))
    }

    fn unclaimed_failure(&self) -> Option<Failure> {
        let ranges: usize = self.functions.iter().map(|function| function.unclaimed.len()).sum();
        let apart = humantime::format_duration(self.began_at.disagreement());
        let message = format!(
            "{} can be called neither complete nor lost: this machine's clock and the service's \
             are {apart} apart",
            counted(ranges, "range")
        );
        (ranges > 0).then(|| Failure::new(FailureKind::Incomplete, message).hint(COMPARE_CLOCKS))
    }

    fn unfinished_failure(&self) -> Failure {
        let left: Vec<String> = self
            .functions
            .iter()
            .filter(|function| !function.is_complete())
            .map(|function| function.urn.full_name())
            .collect();
        let message = format!(
            "the run left {} unfinished: {}; what it fetched is kept",
            counted(left.len(), "function"),
            first_named(&left)
        );
        Failure::new(FailureKind::Incomplete, message).hint(Step::SayMore)
    }
}

/// So many of the functions that failed are named in one sentence; a warning names each.
const MOST_NAMED: usize = 3;

/// What to do when clocks disagree.
const COMPARE_CLOCKS: &str = "compare `date -u` with a third clock, and set this machine's by NTP \
                              if it is the wrong one; the records that came are kept, and with \
                              right clocks a run goes on by itself";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Interval;
    use crate::store::sql::FunctionId;
    use crate::sync::function::Walked;
    use pretty_assertions::assert_eq;

    fn range(begin: &str, end: &str) -> Interval {
        let time = |hour: &str| format!("2026-03-{hour}:00:00Z").parse().unwrap();
        Interval::new(time(begin), time(end)).unwrap()
    }

    fn function(number: i64, finished: bool, lost: &[Interval]) -> FunctionReport {
        let urn = format!("urn:fss:cn-north-4:0123:function:default:f{number}").parse().unwrap();
        let walked = Walked { finished, lost: lost.to_vec(), ..Walked::default() };
        FunctionReport::new(FunctionId::of_test(number), &urn, range("01T00", "02T00"), walked)
    }

    fn told(functions: Vec<FunctionReport>) -> String {
        let report = SourceReport {
            name: "cn-north-4".into(),
            began_at: range("01T00", "02T00").end().into(),
            functions,
            verified: Vec::new(),
            list: None,
            refusal: None,
            is_down: false,
            is_prepared: true,
            stopped: None,
            is_verification: false,
            counts: Counts::default(),
        };
        report.failure().unwrap().to_string()
    }

    #[test]
    fn what_several_functions_lost_is_told_as_a_sum() {
        let lost = [range("01T00", "01T06"), range("01T07", "01T08")];
        assert_eq!(
            told(vec![function(1, true, &lost), function(2, true, &[])]),
            "7h were not archived before the service forgot them, in 2 ranges"
        );
        assert_eq!(
            told((1..=3).map(|number| function(number, true, &lost)).collect()),
            "21h in all, over 3 functions, were not archived before the service forgot them, in 6 \
             ranges"
        );
    }

    #[test]
    fn functions_that_were_left_unfinished_are_named() {
        let left = |count: i64| {
            let others = (10..12).map(|number| function(number, true, &[]));
            told((1..=count).map(|number| function(number, false, &[])).chain(others).collect())
        };
        assert_eq!(
            left(1),
            "the run left one function unfinished: default:f1; what it fetched is kept"
        );
        assert_eq!(
            left(5),
            "the run left 5 functions unfinished: default:f1, default:f2, default:f3 and 2 more; \
             what it fetched is kept"
        );
    }
}
