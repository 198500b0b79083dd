//! What a seen record means for the stored one.

use super::extra;
use crate::domain::{ErrorCode, Invocation, RecordTime, Status, stands_for_nothing};
use std::ops::Range;

/// The meaning of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The same as stored: nothing is written.
    Unchanged,
    /// The same status, other fields: what is known of them stands.
    Amended,
    /// A later status on the way `WAIT → RUNNING → SUCCESS | FAIL | DISCARD`.
    Advanced,
    /// Another end than the stored one, or a status that is not known: accepted, with history.
    Revised,
    /// An earlier status than the stored one, or none: kept in the history as an anomaly, the
    /// stored one stands.
    Regressed,
}

impl Change {
    /// Whether the stored record takes on what was seen.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Amended | Self::Advanced | Self::Revised)
    }

    /// Whether the status differs from the stored one.
    pub fn moves_status(self) -> bool {
        matches!(self, Self::Advanced | Self::Revised | Self::Regressed)
    }
}

/// A field of a record besides its id and its status, by the name of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `error_code`.
    ErrorCode,
    /// `error_message`.
    ErrorMessage,
    /// `start_time`.
    StartTime,
    /// `end_time`.
    EndTime,
    /// `extra`.
    Extra,
}

impl Field {
    /// The name of its column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ErrorCode => "error_code",
            Self::ErrorMessage => "error_message",
            Self::StartTime => "start_time",
            Self::EndTime => "end_time",
            Self::Extra => "extra",
        }
    }
}

/// A value as the history keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A number.
    Number(i64),
    /// A text, also of a time.
    Text(Box<str>),
}

/// A known value that was not shown again as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// Of which field.
    pub field: Field,
    /// The stored value; of `extra` an object of the fields concerned.
    pub stood: Known,
    /// What was shown instead; none for nothing.
    pub shown: Option<Known>,
    /// Whether the shown value stands now. If not, the stored one does.
    pub is_accepted: bool,
}

/// What comes of a stored record and a sighting of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// What the sighting means.
    pub change: Change,
    /// The record as it stands now.
    pub stands: Invocation,
    /// Known values that were not shown again, whether they stand or not.
    pub noted: Vec<Amendment>,
}

/// Merges a record as it was seen into the same record as it is stored.
///
/// What was known is never replaced by nothing. A start and the fields in `extra` belong to the
/// record and stand until they are shown with other values. An error code, a message and an end
/// belong to an outcome: they stand for as long as the status does, and another status comes with
/// its own, or without. A step back adds to the record what was not known.
pub fn reconcile(stored: &Invocation, seen: &Invocation) -> Merged {
    let moved = movement(&stored.status, &seen.status);
    let (of_record, of_outcome) = match moved {
        None => (Rule::Renew, Rule::Renew),
        Some(Change::Regressed) => (Rule::Fill, Rule::Keep),
        Some(_) => (Rule::Renew, Rule::Replace),
    };
    let mut merger = Merger::default();
    let stands = Invocation {
        request_id: stored.request_id.clone(),
        status: if moved.is_some_and(Change::is_accepted) { &seen.status } else { &stored.status }
            .clone(),
        error_code: merger.merge(
            of_outcome,
            Field::ErrorCode,
            stored.error_code.as_ref(),
            seen.error_code.as_ref(),
        ),
        error_message: merger.merge(
            of_outcome,
            Field::ErrorMessage,
            stored.error_message.as_ref(),
            seen.error_message.as_ref(),
        ),
        start_time: merger.merge(
            of_record,
            Field::StartTime,
            stored.start_time.as_ref(),
            seen.start_time.as_ref(),
        ),
        end_time: merger.merge(
            of_outcome,
            Field::EndTime,
            stored.end_time.as_ref(),
            seen.end_time.as_ref(),
        ),
        extra: merger.merge_extra(of_record, stored.extra.as_deref(), seen.extra.as_deref()),
    };
    let amended = if stands == *stored { Change::Unchanged } else { Change::Amended };
    Merged { change: moved.unwrap_or(amended), stands, noted: merger.noted }
}

/// Where a status went, if it is another one.
///
/// An absent status says nothing, nor does a word for none: it never replaces one that is known,
/// and any known one is a step forward from it.
fn movement(stored: &Status, seen: &Status) -> Option<Change> {
    let is_absent = |status: &Status| says_nothing(status.as_str());
    match (step(stored), step(seen)) {
        _ if stored == seen => None,
        _ if is_absent(stored) => Some(Change::Advanced),
        _ if is_absent(seen) => Some(Change::Regressed),
        (Some(from), Some(to)) if from < to => Some(Change::Advanced),
        (Some(from), Some(to)) if from > to => Some(Change::Regressed),
        _ => Some(Change::Revised),
    }
}

/// How a seen value meets a stored one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// It stands, unless it says less.
    Renew,
    /// It stands if it says more.
    Fill,
    /// It stands, even where it is nothing.
    Replace,
    /// The stored one stands.
    Keep,
}

impl Rule {
    /// Whether a value that says so much replaces a stored one that says so much.
    fn takes(self, seen: u8, stored: u8) -> bool {
        match self {
            Self::Renew => seen >= stored,
            Self::Fill => seen > stored,
            Self::Replace => true,
            Self::Keep => false,
        }
    }
}

/// The value of a field.
trait Value: Clone + PartialEq {
    /// How much it says: 1 where it stands for nothing, more where it may be meant; what is not
    /// there says 0.
    fn weight(&self) -> u8;

    /// As the history keeps it.
    fn to_known(&self) -> Known;
}

/// Whether a status is a word for none, or no word: a number, a truth, or a value with others in
/// it.
pub(super) fn says_nothing(status: &str) -> bool {
    let is_word = status.contains(char::is_alphabetic);
    let is_structure = status.trim_start().starts_with(['{', '[']);
    let says_none = ["unknown", "true"].iter().any(|word| status.trim().eq_ignore_ascii_case(word));
    !is_word || is_structure || says_none || stands_for_nothing(status)
}

/// Zero, however it is written, is how many services say that there is no code: it says less than
/// another.
impl Value for ErrorCode {
    fn weight(&self) -> u8 {
        let is_zero = match self {
            Self::Number(number) => *number == 0,
            Self::Text(text) => stands_for_nothing(text.trim_matches(['0', '.', ' '])),
        };
        if is_zero { 1 } else { 2 }
    }

    fn to_known(&self) -> Known {
        match self {
            Self::Number(number) => Known::Number(*number),
            Self::Text(text) => Known::Text(text.clone()),
        }
    }
}

/// What stands for nothing says less than words.
impl Value for Box<str> {
    fn weight(&self) -> u8 {
        if stands_for_nothing(self) { 1 } else { 2 }
    }

    fn to_known(&self) -> Known {
        Known::Text(self.clone())
    }
}

/// 2000-01-01 and 2100-01-01: no service of this kind is older, and what lies behind stands for
/// "never".
const PLAUSIBLE: Range<i64> = 946_684_800..4_102_444_800;

/// A text that is no time, and a time that no record of the service can have, say less than a time.
impl Value for RecordTime {
    fn weight(&self) -> u8 {
        match self.moment() {
            Some(moment) if PLAUSIBLE.contains(&moment.unix()) => 3,
            Some(_) => 2,
            None => 1,
        }
    }

    fn to_known(&self) -> Known {
        Known::Text(self.to_string().into())
    }
}

/// Merges fields and notes what did not go without saying.
#[derive(Default)]
struct Merger {
    noted: Vec<Amendment>,
}

impl Merger {
    fn merge<T: Value>(
        &mut self,
        rule: Rule,
        field: Field,
        stored: Option<&T>,
        seen: Option<&T>,
    ) -> Option<T> {
        if stored == seen {
            return stored.cloned();
        }
        let is_accepted = rule.takes(seen.map_or(0, T::weight), stored.map_or(0, T::weight));
        let is_notable = is_accepted || rule == Rule::Renew;
        if let Some(stood) = stored.filter(|_| is_notable) {
            self.note(field, stood.to_known(), seen.map(T::to_known), is_accepted);
        }
        if is_accepted { seen } else { stored }.cloned()
    }

    fn merge_extra(
        &mut self,
        rule: Rule,
        stored: Option<&str>,
        seen: Option<&str>,
    ) -> Option<Box<str>> {
        if stored == seen {
            return stored.map(Into::into);
        }
        let Some(merged) = extra::merge(stored, seen, rule == Rule::Fill) else {
            let [stored, seen] = [stored, seen].map(|text| text.map(Box::<str>::from));
            return self.merge(rule, Field::Extra, stored.as_ref(), seen.as_ref());
        };
        if let Some(missed) = merged.missed.filter(|_| rule == Rule::Renew) {
            self.note(Field::Extra, Known::Text(missed), None, false);
        }
        if let Some((stood, shown)) = merged.replaced {
            self.note(Field::Extra, Known::Text(stood), Some(Known::Text(shown)), true);
        }
        merged.stands
    }

    fn note(&mut self, field: Field, stood: Known, shown: Option<Known>, is_accepted: bool) {
        self.noted.push(Amendment { field, stood, shown, is_accepted });
    }
}

/// How far along its way a status is; none for one that is not documented.
fn step(status: &Status) -> Option<u8> {
    match status {
        Status::Wait => Some(0),
        Status::Running => Some(1),
        Status::Success | Status::Fail | Status::Discard => Some(2),
        Status::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RequestId, Timestamp};
    use Change::{Advanced, Amended, Regressed, Revised, Unchanged};
    use proptest::prelude::*;

    /// A record by its status, code, message, start, end and other fields; `-` for nothing.
    fn record(text: &str) -> Invocation {
        let [status, code, message, start, end, extra] = text
            .split_whitespace()
            .map(|word| (word != "-").then_some(word))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        let time = |text: &str| match text.parse() {
            Ok(second) => RecordTime::At(Timestamp::from_unix(second)),
            Err(_) => RecordTime::Unreadable(text.into()),
        };
        Invocation {
            request_id: RequestId::new("a").unwrap(),
            status: Status::parse(status.unwrap_or_default()),
            error_code: code
                .map(|code| code.parse().map_or(ErrorCode::Text(code.into()), ErrorCode::Number)),
            error_message: message.map(Into::into),
            start_time: start.map(time),
            end_time: end.map(time),
            extra: extra.map(Into::into),
        }
    }

    fn of_status(status: &str) -> Invocation {
        record(&format!("{status} - - - - -"))
    }

    /// Rows: stored. Columns: seen as nothing, WAIT, RUNNING, SUCCESS, FAIL, DISCARD, PAUSED
    /// (unknown).
    #[test]
    fn every_pair_of_statuses_has_a_meaning() {
        let statuses = ["-", "WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD", "PAUSED"];
        let expected = [
            [Unchanged, Advanced, Advanced, Advanced, Advanced, Advanced, Advanced],
            [Regressed, Unchanged, Advanced, Advanced, Advanced, Advanced, Revised],
            [Regressed, Regressed, Unchanged, Advanced, Advanced, Advanced, Revised],
            [Regressed, Regressed, Regressed, Unchanged, Revised, Revised, Revised],
            [Regressed, Regressed, Regressed, Revised, Unchanged, Revised, Revised],
            [Regressed, Regressed, Regressed, Revised, Revised, Unchanged, Revised],
            [Regressed, Revised, Revised, Revised, Revised, Revised, Unchanged],
        ];
        for (stored, row) in statuses.iter().zip(expected) {
            for (seen, expected) in statuses.iter().zip(row) {
                let merged = reconcile(&of_status(stored), &of_status(seen));
                assert_eq!(merged.change, expected, "{stored} seen as {seen}");
                let stands = if expected.is_accepted() { seen } else { stored };
                assert_eq!(merged.stands, of_status(stands), "{stored} seen as {seen}");
            }
        }
    }

    /// What is noted, as `column stood shown`, with `!` before it where the stored value stands.
    fn noted(merged: &Merged) -> String {
        let text = |known: &Known| match known {
            Known::Number(number) => number.to_string(),
            Known::Text(text) => text.to_string(),
        };
        let note = |Amendment { field, stood, shown, is_accepted }: &Amendment| {
            let shown = shown.as_ref().map_or("-".to_owned(), text);
            format!(
                "{}{} {} {shown}",
                if *is_accepted { "" } else { "!" },
                field.as_str(),
                text(stood)
            )
        };
        merged.noted.iter().map(note).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_word_for_nothing_takes_no_status_place() {
        let stored = of_status("SUCCESS");
        for nothing in
            ["N/A", "-", "null", "none", "undefined", "NaN", " ", "0", "unknown", "\u{200b}", "{}"]
        {
            let shown = Invocation { status: Status::parse(nothing), ..stored.clone() };
            let merged = reconcile(&stored, &shown);
            assert_eq!((merged.change, &merged.stands), (Regressed, &stored), "{nothing:?}");
            assert_eq!(reconcile(&shown, &stored).change, Advanced, "{nothing:?}");
        }
        assert_eq!(reconcile(&stored, &of_status("QUEUED")).change, Revised);
    }

    #[test]
    fn a_time_that_no_record_can_have_takes_no_times_place() {
        let ended =
            |text: &str| Invocation { end_time: RecordTime::parse(text), ..of_status("SUCCESS") };
        let stored = ended("2026-03-01T12:00:00Z");
        for never in [
            "1899-12-30T00:00:00Z",
            "1980-01-01T00:00:00Z",
            "2262-04-11T23:47:16Z",
            "9999-01-01T00:00:00Z",
        ] {
            assert_eq!(reconcile(&stored, &ended(never)).stands, stored, "{never}");
            assert_eq!(reconcile(&ended(never), &stored).stands, stored, "{never}");
        }
    }

    #[test]
    fn what_stands_for_nothing_takes_no_words_place() {
        let stored = record("FAIL 7 boom 100 200 -");
        for nothing in
            ["  ", "\u{a0}\u{200b}", "null", "None", "-", "--", "N/A", "undefined", "[]", " {} "]
        {
            let seen = Invocation { error_message: Some(nothing.into()), ..stored.clone() };
            let merged = reconcile(&stored, &seen);
            assert_eq!((merged.change, &merged.stands), (Unchanged, &stored), "{nothing:?}");
            assert_eq!(noted(&merged), format!("!error_message boom {nothing}"));
        }
        for nothing in ["0", "0.0", "00", " 0 ", "false", "[]", "-"] {
            let seen =
                Invocation { error_code: Some(ErrorCode::Text(nothing.into())), ..stored.clone() };
            assert_eq!(reconcile(&stored, &seen).stands, stored, "{nothing:?}");
        }
        let seen = Invocation { error_code: Some(ErrorCode::Text("100".into())), ..stored.clone() };
        assert_eq!(reconcile(&stored, &seen).stands, seen);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn what_stands_and_what_is_noted() {
        let second = |second: i64| Timestamp::from_unix(second).to_string();
        let [at_100, at_200] = [second(100), second(200)];
        for (stored, seen, stands, expected) in [
            // What stands for nothing.
            (
                "FAIL 7 boom 100 200 -",
                "FAIL 0 boom 100 200 -",
                "FAIL 7 boom 100 200 -",
                "!error_code 7 0".to_owned(),
            ),
            (
                "FAIL 0 boom 100 200 -",
                "FAIL 7 boom 100 200 -",
                "FAIL 7 boom 100 200 -",
                "error_code 0 7".to_owned(),
            ),
            (
                "FAIL 0 - 100 200 -",
                "FAIL - - 100 200 -",
                "FAIL 0 - 100 200 -",
                "!error_code 0 -".to_owned(),
            ),
            // Blanks of a record that is over.
            (
                "SUCCESS - - 100 200 -",
                "SUCCESS - - 100 - -",
                "SUCCESS - - 100 200 -",
                format!("!end_time {at_200} -"),
            ),
            (
                "SUCCESS - - 100 200 -",
                "SUCCESS - - - 200 -",
                "SUCCESS - - 100 200 -",
                format!("!start_time {at_100} -"),
            ),
            (
                "FAIL 7 boom 100 200 -",
                "FAIL 7 - 100 200 -",
                "FAIL 7 boom 100 200 -",
                "!error_message boom -".to_owned(),
            ),
            (
                "FAIL 7 boom 100 200 -",
                "FAIL - boom 100 200 -",
                "FAIL 7 boom 100 200 -",
                "!error_code 7 -".to_owned(),
            ),
            (
                "WAIT - - 100 - {\"a\":1}",
                "WAIT - - 100 - -",
                "WAIT - - 100 - {\"a\":1}",
                "!extra {\"a\":1} -".to_owned(),
            ),
            // What is learnt goes without saying.
            (
                "SUCCESS - - - - -",
                "SUCCESS 0 m 100 200 {\"a\":1}",
                "SUCCESS 0 m 100 200 {\"a\":1}",
                String::new(),
            ),
            // Another value is believed, and the one before is noted.
            (
                "FAIL 7 boom 100 200 -",
                "FAIL x bang 100 200 -",
                "FAIL x bang 100 200 -",
                "error_code 7 x, error_message boom bang".to_owned(),
            ),
            (
                "WAIT - - - - {\"a\":1}",
                "WAIT - - - - {\"a\":2}",
                "WAIT - - - - {\"a\":2}",
                "extra {\"a\":1} {\"a\":2}".to_owned(),
            ),
            // A time that cannot be read says less than one that can, and more than nothing.
            (
                "SUCCESS - - 100 200 -",
                "SUCCESS - - soon 200 -",
                "SUCCESS - - 100 200 -",
                format!("!start_time {at_100} soon"),
            ),
            (
                "SUCCESS - - soon 200 -",
                "SUCCESS - - 100 200 -",
                "SUCCESS - - 100 200 -",
                format!("start_time soon {at_100}"),
            ),
            (
                "SUCCESS - - soon 200 -",
                "SUCCESS - - - 200 -",
                "SUCCESS - - soon 200 -",
                "!start_time soon -".to_owned(),
            ),
            // Another status: the start and what is in `extra` stand, the outcome is its own.
            (
                "RUNNING - - 100 - {\"a\":1}",
                "SUCCESS - - - 200 -",
                "SUCCESS - - 100 200 {\"a\":1}",
                format!("!start_time {at_100} -, !extra {{\"a\":1}} -"),
            ),
            (
                "FAIL 7 boom 100 200 -",
                "SUCCESS - - 100 300 -",
                "SUCCESS - - 100 300 -",
                format!("error_code 7 -, error_message boom -, end_time {at_200} {}", second(300)),
            ),
            (
                "WAIT - - 100 - -",
                "RUNNING - - 150 - -",
                "RUNNING - - 150 - -",
                format!("start_time {at_100} {}", second(150)),
            ),
            // A step back, and a sighting without a status, add what was not known.
            (
                "SUCCESS - - - - -",
                "RUNNING 7 boom 100 200 {\"a\":1}",
                "SUCCESS - - 100 - {\"a\":1}",
                String::new(),
            ),
            (
                "SUCCESS - - 100 200 {\"a\":1}",
                "WAIT - - 50 - {\"a\":2}",
                "SUCCESS - - 100 200 {\"a\":1}",
                String::new(),
            ),
            (
                "SUCCESS - - soon 200 -",
                "RUNNING - - 100 - -",
                "SUCCESS - - 100 200 -",
                format!("start_time soon {at_100}"),
            ),
            (
                "SUCCESS - - 100 200 -",
                "- - - - - {\"a\":1}",
                "SUCCESS - - 100 200 {\"a\":1}",
                String::new(),
            ),
            // Fields that are no object are one value.
            (
                "WAIT - - - - {",
                "WAIT - - - - {\"a\":1}",
                "WAIT - - - - {\"a\":1}",
                "extra { {\"a\":1}".to_owned(),
            ),
        ] {
            let merged = reconcile(&record(stored), &record(seen));
            assert_eq!(merged.stands, record(stands), "{stored} seen as {seen}");
            assert_eq!(noted(&merged), expected, "{stored} seen as {seen}");
        }
    }

    #[test]
    fn the_same_status_with_other_fields_is_amended_where_something_new_stands() {
        let change = |stored, seen| reconcile(&record(stored), &record(seen)).change;
        assert_eq!(change("FAIL - - - - -", "FAIL - out_of_memory - - -"), Amended);
        assert_eq!(change("FAIL - out_of_memory - - -", "FAIL - - - - -"), Unchanged);
    }

    fn words(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
        prop::sample::select(words)
    }

    const ALL: &[&str] = &["-", "WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD", "PAUSED"];

    prop_compose! {
        /// Any record: each field blank, or one of two values, or for a time unreadable.
        fn any_record(statuses: &'static [&'static str])(
            status in words(statuses),
            code in words(&["-", "7", "x"]),
            message in words(&["-", "boom", "bang"]),
            start in words(&["-", "100", "150", "soon"]),
            end in words(&["-", "200", "250", "late"]),
            extra in words(&[
                "-",
                "{\"a\":1}",
                "{\"a\":2}",
                "{\"b\":1}",
                "{\"a\":null,\"b\":2}",
                "{\"a\":1,\"b\":1}",
            ]),
        ) -> Invocation {
            record(&[status, code, message, start, end, extra].join(" "))
        }
    }

    prop_compose! {
        /// A sighting of the one record of a status, any of its fields blank: no two known values
        /// of a status conflict.
        fn true_record()(
            status in words(&["-", "WAIT", "RUNNING", "FAIL"]),
            shown in prop::array::uniform6(any::<bool>()),
        ) -> Invocation {
            let [code, message, end] = match status {
                "FAIL" => ["7", "boom", "200"],
                "RUNNING" => ["0", "again", "150"],
                _ => ["-", "-", "-"],
            };
            let extra = match (shown[4], shown[5]) {
                (false, false) => "-",
                (true, false) => "{\"a\":1}",
                (false, true) => "{\"b\":2}",
                (true, true) => "{\"a\":1,\"b\":2}",
            };
            let word = |at: usize, word| if shown[at] { word } else { "-" };
            let words =
                [status, word(0, code), word(1, message), word(2, "100"), word(3, end), extra];
            record(&words.join(" "))
        }
    }

    fn merge_all<'a>(sightings: impl IntoIterator<Item = &'a Invocation>) -> Option<Invocation> {
        sightings.into_iter().fold(None, |stored: Option<Invocation>, seen| {
            Some(stored.map_or_else(|| seen.clone(), |stored| reconcile(&stored, seen).stands))
        })
    }

    /// The record with its other fields in order.
    fn in_order(record: Invocation) -> Invocation {
        let extra = record.extra.map(|extra| {
            let mut members: Vec<&str> = extra.trim_matches(['{', '}']).split(',').collect();
            members.sort_unstable();
            members.join(",").into()
        });
        Invocation { extra, ..record }
    }

    proptest! {
        /// Seen once more, a record stands as it did, and nothing new is said of it.
        #[test]
        fn merging_is_idempotent(stored in any_record(ALL), seen in any_record(ALL)) {
            let once = reconcile(&stored, &seen);
            let twice = reconcile(&once.stands, &seen);
            prop_assert_eq!(&twice.stands, &once.stands);
            prop_assert!(twice.noted.iter().all(|noted| !noted.is_accepted), "{:?}", twice.noted);
            prop_assert!(
                !matches!(twice.change, Amended | Advanced | Revised),
                "{:?}",
                twice.change
            );
            let same = reconcile(&stored, &stored);
            prop_assert_eq!(same, Merged { change: Unchanged, stands: stored, noted: Vec::new() });
        }

        /// A known value stands, or is noted with what stands instead; a blank takes only what
        /// belongs to another outcome.
        #[test]
        fn nothing_known_is_lost(stored in any_record(ALL), seen in any_record(ALL)) {
            let Merged { change, stands, noted } = reconcile(&stored, &seen);
            let outcome_is_another = change.moves_status() && change.is_accepted();
            let has = |field, is_accepted| {
                noted.iter().any(|note| note.field == field && note.is_accepted == is_accepted)
            };
            let fields = |record: &Invocation| {
                [
                    (Field::ErrorCode, record.error_code.as_ref().map(Value::to_known)),
                    (Field::ErrorMessage, record.error_message.as_ref().map(Value::to_known)),
                    (Field::EndTime, record.end_time.as_ref().map(Value::to_known)),
                    (Field::StartTime, record.start_time.as_ref().map(Value::to_known)),
                ]
            };
            for (at, ((field, stood), (_, now))) in
                fields(&stored).into_iter().zip(fields(&stands)).enumerate()
            {
                prop_assert!(
                    stood == now || stood.is_none() || has(field, true),
                    "{} of {:?}",
                    field.as_str(),
                    noted
                );
                prop_assert!(
                    stood.is_none() || now.is_some() || (outcome_is_another && at < 3),
                    "{}",
                    field.as_str()
                );
            }
            prop_assert!(stored.extra.is_none() || stands.extra.is_some());
            prop_assert!(stored.status.as_str().is_empty() || !stands.status.as_str().is_empty());
        }

        /// Whichever sighting comes first: what is known in the end is the same.
        #[test]
        fn the_order_of_sightings_does_not_matter(
            sightings in prop::collection::vec(true_record(), 1..6),
            order: u64,
        ) {
            let mut shuffled = sightings.clone();
            fastrand::Rng::with_seed(order).shuffle(&mut shuffled);
            let [one, other] =
                [merge_all(&sightings), merge_all(&shuffled)].map(|merged| merged.map(in_order));
            prop_assert_eq!(one, other);
        }
    }
}
