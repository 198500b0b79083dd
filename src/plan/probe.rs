//! What the answers of a probe tell of the points that the vendor's page leaves open.
//!
//! A walk is right under every reading, so nothing here is needed to archive. It is for people:
//! what their service does, with the evidence, and what in it deserves a look.

use crate::domain::{Form, Invocation, Marker, Page, RecordTime, RequestId, Shape, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a finding means for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be, or one of the readings that make no difference.
    Ok,
    /// It could not be told.
    Unknown,
    /// Somebody should look after it.
    Warning,
    /// Nothing can be archived like this.
    Failure,
}

impl Verdict {
    /// The verdict in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was asked, in a few words that stay the same.
    pub question: String,
    /// What it means.
    pub verdict: Verdict,
    /// What is the case.
    pub answer: String,
    /// By what that was told.
    pub evidence: String,
    /// The next step, where there is one.
    pub hint: Option<&'static str>,
}

impl Finding {
    /// A finding without a next step.
    pub fn new(
        question: &str,
        verdict: Verdict,
        answer: impl Into<String>,
        evidence: impl Into<String>,
    ) -> Self {
        let (question, answer, evidence) = (question.to_owned(), answer.into(), evidence.into());
        Self { question, verdict, answer, evidence, hint: None }
    }

    /// The same with a next step.
    #[must_use]
    pub fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// A question that the service could not be asked, for this reason.
    pub fn failed(question: &str, reason: &impl ToString) -> Self {
        Self::new(question, Verdict::Warning, "could not be asked", reason.to_string())
    }

    fn told(question: &str, answer: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self::new(question, Verdict::Ok, answer, evidence)
    }

    fn unknown(question: &str, why: impl Into<String>) -> Self {
        Self::new(question, Verdict::Unknown, "cannot be told", why)
    }
}

/// A local clock this far off is worth a warning, in seconds.
const NOTABLE_SKEW: u64 = 300;

/// From here on the gateway refuses signatures, in seconds (the vendor's guide to API signing).
const REFUSED_SKEW: u64 = 900;

/// The machine's clock; `skew` is the service's less ours, in seconds.
pub fn clock(skew: i64) -> Finding {
    let off = skew.unsigned_abs();
    let verdict = match off {
        REFUSED_SKEW.. => Verdict::Failure,
        NOTABLE_SKEW.. => Verdict::Warning,
        _ => Verdict::Ok,
    };
    let side = if skew > 0 { "behind" } else { "ahead of" };
    let answer = if off == 0 {
        "as the service's".to_owned()
    } else {
        format!("{off} s {side} the service's")
    };
    let finding = Finding::new("clock", verdict, answer, "the Date header of its answers");
    if verdict == Verdict::Ok {
        finding
    } else {
        finding.hint("set the clock, by NTP for example: signatures are refused from 15 minutes on")
    }
}

/// Whether the service records a function's invocations.
pub fn recording(enabled: Option<bool>) -> Finding {
    let evidence = "enable_async_status_log of its asynchronous configuration";
    match enabled {
        Some(true) => Finding::told("recording", "on", evidence),
        Some(false) => Finding::new("recording", Verdict::Warning, "off", evidence).hint(
            "switch on enable_async_status_log; until then the service keeps no record of its \
             invocations",
        ),
        None => Finding::unknown("recording", "the configuration does not say, or may not be read"),
    }
}

/// The longest window that was accepted, after these that were refused.
pub fn longest_window(accepted: Duration, refused: Option<Duration>) -> Finding {
    let length = |length: Duration| format!("{} h", length.as_secs() / 3_600);
    let evidence = refused.map_or_else(
        || "no window was refused".to_owned(),
        |refused| format!("{} were refused", length(refused)),
    );
    Finding::told("longest window", format!("{} at least", length(accepted)), evidence)
}

/// In which order records are listed.
pub fn order(page: &Page) -> Finding {
    let question = "order";
    let by = |time: fn(&Invocation) -> Option<Timestamp>| {
        page.records.iter().filter_map(time).collect::<Vec<_>>()
    };
    let (starts, events) = (by(started), by(last_event));
    if starts.iter().collect::<BTreeSet<_>>().len() < 3 {
        return Finding::unknown(question, "fewer than three seconds hold records");
    }
    let evidence = format!("{} records of one page", starts.len());
    for (times, name) in [(starts, "by start"), (events, "by end")] {
        let newest_first = times.iter().rev().is_sorted();
        if times.is_sorted() || newest_first {
            let order = if newest_first { "newest first" } else { "oldest first" };
            return Finding::told(question, format!("{order}, {name}"), evidence);
        }
    }
    Finding::told(question, "not by time", evidence)
}

/// Whether the same question is answered in the same order twice.
pub fn stability(first: &Page, again: &Page) -> Finding {
    let question = "order of equals";
    // A full page may end among equals, and then hold others of them each time: what both hold is
    // compared.
    let common = |page: &Page, other: &Page| {
        let others: BTreeSet<_> = other.keys.iter().copied().collect();
        page.keys.iter().copied().filter(|key| others.contains(key)).collect::<Vec<_>>()
    };
    let evidence = "one question, asked twice";
    if first.keys.len() < 3 {
        Finding::unknown(question, "fewer than three records")
    } else if first.keys == again.keys {
        Finding::told(question, "the same each time", evidence)
    } else if common(first, again) != common(again, first) {
        Finding::told(question, "changes from answer to answer", evidence)
    } else {
        Finding::unknown(question, "the list changed between two answers")
    }
}

/// A record by which the bounds of windows are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specimen {
    /// Its id.
    pub id: RequestId,
    /// Its start.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// A record that is shorter than this, in seconds, cannot tell a window on its start from one on
/// its end.
const TELLING_LENGTH: i64 = 5;

const SECOND: Duration = Duration::from_secs(1);

impl Specimen {
    /// The record of a page that is over, long enough to tell its times apart where there is one,
    /// and has the fewest neighbours, so that a window around it fits one page.
    pub fn choose(page: &Page) -> Option<Self> {
        let mut starts: Vec<Timestamp> = page.records.iter().filter_map(started).collect();
        starts.sort_unstable();
        let room = |at: Timestamp| {
            let place = starts.partition_point(|start| *start < at);
            let before =
                place.checked_sub(1).map_or(i64::MAX, |place| at.seconds_since(starts[place]));
            let after = starts.get(place + 1).map_or(i64::MAX, |next| next.seconds_since(at));
            before.min(after)
        };
        let over = |record: &Invocation| {
            let (start, end) = (started(record)?, ended(record)?);
            record.status.is_final().then(|| Self { id: record.request_id.clone(), start, end })
        };
        page.records
            .iter()
            .filter_map(over)
            .max_by_key(|specimen| (specimen.tells_times_apart(), room(specimen.start)))
    }

    /// Whether its start and its end are far enough apart.
    pub fn tells_times_apart(&self) -> bool {
        self.end.seconds_since(self.start) >= TELLING_LENGTH
    }

    /// A window that holds a moment whatever its bounds mean.
    pub fn around(moment: Timestamp) -> (Timestamp, Timestamp) {
        (moment - SECOND, moment + SECOND)
    }

    /// Windows that begin and end at a moment.
    pub fn at_bounds(moment: Timestamp) -> [(Timestamp, Timestamp); 2] {
        [(moment, moment + SECOND * 2), (moment - SECOND * 2, moment)]
    }

    /// Whether a page shows it.
    pub fn is_on(&self, page: &Page) -> bool {
        page.shows(&self.id)
    }
}

/// By which time windows select, told by whether the window around each of a record's times shows
/// it.
pub fn filter(near_start: bool, near_end: bool) -> Finding {
    let evidence = "a record in windows around its start and around its end";
    match (near_start, near_end) {
        (true, false) => Finding::told("time that windows select by", "start", evidence),
        (false, true) => Finding::told("time that windows select by", "end", evidence),
        (true, true) => Finding::told("time that windows select by", "start and end", evidence),
        (false, false) => {
            Finding::unknown("time that windows select by", "neither window shows the record")
        }
    }
}

/// That no record is long enough to tell by which time windows select.
pub fn filter_unknown() -> Finding {
    Finding::unknown("time that windows select by", "no record took long enough")
}

/// Which bounds of a window belong to it.
pub fn bounds(lower: bool, upper: bool) -> Finding {
    let answer = match (lower, upper) {
        (true, true) => "both included",
        (true, false) => "the lower included, the upper not",
        (false, true) => "the upper included, the lower not",
        (false, false) => "neither included",
    };
    Finding::told(
        "bounds of a window",
        answer,
        "a record in windows that begin and end at its second",
    )
}

/// What `count` says on a page of two records of a list of `entries`.
pub fn count(page: &Page, entries: u64) -> Finding {
    let evidence = format!("a page of {} records of {entries}", page.length());
    match page.count {
        None => Finding::told("count", "absent", evidence),
        Some(count) if count >= entries => {
            Finding::told("count", "the records of the query", evidence)
        }
        Some(count) if count == page.length() => {
            Finding::told("count", "the records of the page", evidence)
        }
        Some(count) => Finding::new("count", Verdict::Unknown, format!("{count}"), evidence),
    }
}

/// Whether `marker` passes over so many records: `later` was asked from the second record of
/// `whole` on.
pub fn marker(whole: &Page, later: &Page) -> Finding {
    let evidence = "two pages that overlap";
    if whole.keys.get(1..) == Some(&later.keys) {
        return Finding::told("marker", "how many records to pass over", evidence);
    }
    Finding::new(
        "marker",
        Verdict::Unknown,
        "not the number of records to pass over, or the list moved",
        evidence,
    )
}

/// What `next_marker` says on the last page, which was asked from the second of `entries` records
/// on.
pub fn last_marker(page: &Page, entries: u64) -> Finding {
    let answer = match page.next_marker {
        None => "absent".to_owned(),
        Some(Marker(0)) => "zero".to_owned(),
        Some(Marker(1)) => "the marker that was asked for".to_owned(),
        Some(Marker(next)) if next == entries => "where another page would begin".to_owned(),
        Some(next) => format!("{next}"),
    };
    Finding::told(
        "next_marker on the last page",
        answer,
        format!("records 2 to {entries} of {entries}"),
    )
}

/// How many records a page holds: the first one of a list, and what begins behind it.
pub fn page_size(first: &Page, behind: &Page, limit: u32) -> Finding {
    let length = first.length();
    if length >= u64::from(limit) {
        Finding::told("records on a page", format!("{length}"), format!("{limit} were asked for"))
    } else if behind.length() > 0 {
        Finding::told(
            "records on a page",
            format!("{length} at most"),
            format!("{limit} were asked for, and more were there"),
        )
    } else {
        Finding::unknown("records on a page", format!("the list holds {length}"))
    }
}

/// What a limit above the documented maximum does; none where it was refused.
pub fn limit_above(page: Option<&Page>, maximum: u32) -> Finding {
    let question = "limit above 500";
    match page.map(Page::length) {
        None => Finding::told(question, "refused", "answered with 400"),
        Some(length) if length > u64::from(maximum) => {
            Finding::told(question, "granted", format!("{length} came"))
        }
        Some(length) if length == u64::from(maximum) => {
            Finding::told(question, "means 500", format!("{length} came"))
        }
        Some(length) => {
            Finding::told(question, "accepted", format!("{length} came, too few to tell more"))
        }
    }
}

/// A window cut amid the records of its first page, so that a cap which hides the rest hides less
/// of the parts.
pub fn parts((begin, end): (Timestamp, Timestamp), first: &Page) -> Vec<(Timestamp, Timestamp)> {
    let mut starts: Vec<Timestamp> = first.records.iter().filter_map(started).collect();
    starts.sort_unstable();
    let middle =
        starts.get(starts.len() / 2).filter(|middle| begin <= **middle && **middle + SECOND <= end);
    middle
        .map_or_else(|| vec![(begin, end)], |&middle| vec![(begin, middle), (middle + SECOND, end)])
}

/// How many records of a query are handed out. `handed_out` of `counted` were reached; its parts
/// count `in_parts` together.
pub fn result_cap(handed_out: u64, counted: u64, in_parts: u64) -> Finding {
    let question = "records of a query";
    if handed_out < counted {
        return Finding::told(
            question,
            format!("the first {handed_out}"),
            format!("of {counted} that it counts"),
        );
    }
    if in_parts > counted {
        return Finding::told(
            question,
            format!("the first {counted}"),
            format!("its parts hold {in_parts}"),
        );
    }
    Finding::told(question, "all", format!("{counted} were handed out"))
}

/// That nothing counts the records of a query.
pub fn result_cap_unknown() -> Finding {
    Finding::unknown("records of a query", "the service gives no total to hold them against")
}

/// Which window applies to a look-up by id, told by a record of long ago: whether it was shown
/// without a window, and with one that does not hold it.
pub fn look_up(bare: bool, elsewhere: bool) -> Finding {
    let answer = match (bare, elsewhere) {
        (_, true) => "none",
        (true, false) => "the given one; without one, all time",
        (false, false) => "the given one; without one, the default",
    };
    Finding::told("window of a look-up by id", answer, "a record of long ago, asked for by its id")
}

/// What a listing without a window shows; `has_older` says that there are records from before the
/// last hour.
pub fn default_window(page: &Page, has_older: bool, now: Timestamp) -> Finding {
    let question = "window by default";
    let oldest = page.records.iter().filter_map(last_event).min();
    let an_hour_ago = now - Duration::from_mins(65);
    match oldest {
        Some(oldest) if oldest < an_hour_ago => {
            Finding::told(question, "more than an hour", format!("it shows a record of {oldest}"))
        }
        _ if has_older => Finding::told(
            question,
            "an hour at most",
            "it shows no older record, though there are some",
        ),
        _ => Finding::unknown(question, "no record is older than an hour"),
    }
}

/// The oldest record that is over among those shown in the longest window.
pub fn oldest<'a>(pages: impl IntoIterator<Item = &'a Page>, now: Timestamp) -> Finding {
    let records =
        pages.into_iter().flat_map(|page| &page.records).filter(|record| record.status.is_final());
    match records.filter_map(last_event).min() {
        None => Finding::unknown("reach", "no record is shown"),
        Some(oldest) => {
            let hours = now.seconds_since(oldest) / 3_600;
            Finding::told(
                "reach",
                format!("{hours} h at least"),
                format!("a record of {oldest} is shown"),
            )
        }
    }
}

/// In which forms values come.
pub fn forms(shape: &Shape) -> Vec<Finding> {
    let told = |value: &'static str| {
        let forms: Vec<Form> = shape.forms(value).collect();
        let answer = forms.iter().map(|form| match form {
            Form::Other if value.starts_with("end_time until") => "the start".to_owned(),
            form => form.to_string(),
        });
        let answer: Vec<String> = answer.collect();
        Finding::told(&format!("form of {value}"), answer.join(", "), "every answer of this probe")
    };
    shape.values().map(told).collect()
}

/// How many entries of the answers could not be read as records, and why the first could not.
pub fn unreadable<'a>(pages: impl IntoIterator<Item = &'a Page>) -> Finding {
    let rejects: Vec<_> = pages.into_iter().flat_map(|page| &page.rejects).collect();
    let question = "entries that are no records";
    match rejects.first() {
        None => Finding::told(question, "none", "every answer of this probe"),
        Some(first) => Finding::new(
            question,
            Verdict::Warning,
            format!("{}", rejects.len()),
            first.reason.clone(),
        )
        .hint("they are kept in the table `rejects`; please report them, so that they can be read"),
    }
}

fn started(record: &Invocation) -> Option<Timestamp> {
    record.start_time.as_ref().and_then(RecordTime::moment)
}

fn ended(record: &Invocation) -> Option<Timestamp> {
    record.end_time.as_ref().and_then(RecordTime::moment)
}

fn last_event(record: &Invocation) -> Option<Timestamp> {
    ended(record).or_else(|| started(record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Entry, EntryKey, Status};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    /// A page of records with these starts and ends.
    fn page(times: &[(i64, i64)]) -> Page {
        Page::from_entries(times.iter().enumerate().map(|(number, &(start, end))| {
            Entry::Record(Invocation {
                request_id: RequestId::new(format!("r{number}")).unwrap(),
                status: Status::Success,
                error_code: None,
                error_message: None,
                start_time: Some(RecordTime::At(at(start))),
                end_time: Some(RecordTime::At(at(end))),
                extra: None,
            })
        }))
    }

    fn order_of(times: &[(i64, i64)]) -> String {
        order(&page(times)).answer
    }

    #[test]
    fn an_order_is_told_by_three_seconds_at_least() {
        assert_eq!(order_of(&[(1, 9), (2, 8), (2, 2), (3, 4)]), "oldest first, by start");
        assert_eq!(order_of(&[(3, 4), (2, 9), (1, 8)]), "newest first, by start");
        assert_eq!(order_of(&[(3, 4), (1, 5), (2, 6)]), "oldest first, by end");
        assert_eq!(order_of(&[(3, 9), (1, 5), (2, 6)]), "not by time");
        assert_eq!(order_of(&[(1, 1), (1, 1), (2, 2)]), "cannot be told");
    }

    #[test]
    fn equals_that_change_places_are_told_by_what_two_answers_have_in_common() {
        let of = |keys: &[u64]| Page {
            keys: keys.iter().map(|key| EntryKey::of(&key.to_string())).collect(),
            ..Page::default()
        };
        for (first, again, expected) in [
            (&[1, 2, 3][..], &[1, 2, 3][..], "the same each time"),
            (&[1, 2, 3], &[1, 3, 2], "changes from answer to answer"),
            (&[1, 2, 3, 4], &[2, 1, 3, 5], "changes from answer to answer"),
            (&[1, 2, 3, 4], &[1, 2, 3, 5], "cannot be told"),
            (&[1, 2, 3], &[1, 2], "cannot be told"),
            (&[1, 2], &[2, 1], "cannot be told"),
        ] {
            assert_eq!(stability(&of(first), &of(again)).answer, expected, "{first:?} {again:?}");
        }
    }

    #[test]
    fn the_specimen_is_long_and_lonely() {
        let chosen = |times: &[(i64, i64)]| {
            Specimen::choose(&page(times)).map(|specimen| specimen.start.unix())
        };
        let some = [(10, 20), (11, 30), (100, 101), (200, 210), (207, 220), (208, 208)];
        assert_eq!(chosen(&some), Some(200), "of those that took long");
        assert_eq!(chosen(&[(10, 11), (50, 51), (51, 52)]), Some(10));
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn a_cap_is_found_in_the_parts_of_a_list() {
        let first = page(&[(10, 10), (20, 20), (30, 30)]);
        assert_eq!(parts((at(0), at(100)), &first), [(at(0), at(20)), (at(21), at(100))]);
        assert_eq!(
            parts((at(0), at(20)), &first),
            [(at(0), at(20))],
            "there is nothing behind the middle"
        );
        assert_eq!(result_cap(900, 900, 900).answer, "all");
        assert_eq!(result_cap(900, 900, 901).answer, "the first 900");
        assert_eq!(result_cap(500, 900, 900).answer, "the first 500");
    }

    #[test]
    fn a_clock_that_is_off_is_warned_of_before_signatures_are_refused() {
        let verdicts = [0, 299, -299, 300, -300, 899, 900, -900].map(|skew| clock(skew).verdict);
        let [ok, warning, failure] = [Verdict::Ok, Verdict::Warning, Verdict::Failure];
        assert_eq!(verdicts, [ok, ok, ok, warning, warning, warning, failure, failure]);
        assert!(
            clock(400).answer.contains("400 s behind")
                && clock(-400).answer.contains("400 s ahead of")
        );
    }
}
