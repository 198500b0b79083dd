//! What has to hold so that somebody is told: comparisons of columns with numbers, and conditions
//! that the program knows itself.

use std::fmt;
use std::str::FromStr;

/// The most comparisons of a condition, so that a message about it stays short.
const MOST_COMPARISONS: usize = 16;

/// Comparisons that all have to hold, such as `failed_percent > 5 and records >= 20`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(Vec<Comparison>);

/// A column compared with a number.
#[derive(Clone, Debug, PartialEq)]
struct Comparison {
    column: String,
    operator: Operator,
    number: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Operator {
    const ALL: [Self; 6] = [
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Equal,
        Self::NotEqual,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }

    #[expect(clippy::float_cmp, reason = "whoever writes `=` compares with what is shown")]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

impl Condition {
    /// The columns that are compared, in their order; one may come twice.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|comparison| comparison.column.as_str())
    }

    /// Whether all comparisons hold. A column that has no number, as where nothing was counted,
    /// is neither more nor less than any.
    pub fn holds(&self, value: impl Fn(&str) -> Option<f64>) -> bool {
        self.0.iter().all(|Comparison { column, operator, number }| {
            value(column).is_some_and(|value| operator.holds(value, *number))
        })
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<String> = words(text)?;
        let comparisons = words.split(|word| word.eq_ignore_ascii_case("and"));
        let comparisons = comparisons.map(comparison).collect::<Result<Vec<_>, _>>()?;
        if comparisons.len() > MOST_COMPARISONS {
            return Err(format!("it has more than {MOST_COMPARISONS} comparisons"));
        }
        Ok(Self(comparisons))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Comparison { column, operator, number }) in self.0.iter().enumerate() {
            let and = if at == 0 { "" } else { " and " };
            write!(f, "{and}{column} {} {number}", operator.as_str())?;
        }
        Ok(())
    }
}

fn comparison(words: &[String]) -> Result<Comparison, String> {
    let form = || "each part has the form `column > number`, and parts are joined by `and`";
    let [column, operator, number] = words else { return Err(form().to_owned()) };
    let is_name = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !is_name(column) {
        return Err(format!("`{column}` is no column; {}", form()));
    }
    let known = Operator::ALL.into_iter().find(|known| known.as_str() == operator);
    let operator = known.ok_or_else(|| {
        let known = Operator::ALL.map(Operator::as_str).join(", ");
        format!("`{operator}` compares nothing: there are {known}")
    })?;
    let number = number.parse().ok().filter(|number: &f64| number.is_finite());
    let number = number.ok_or_else(|| format!("`{}` is no number; {}", words[2], form()))?;
    Ok(Comparison { column: column.clone(), operator, number })
}

/// Names and numbers, and operators, with or without blanks between them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let kind = |c: char| match c {
        '<' | '>' | '=' | '!' => Some(true),
        c if c.is_ascii_alphanumeric() || "_.+-".contains(c) => Some(false),
        _ => None,
    };
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for character in text.chars() {
        if character.is_whitespace() {
            last = None;
            continue;
        }
        let kind = kind(character)
            .ok_or_else(|| format!("`{character}` belongs to no column, operator or number"))?;
        match words.last_mut().filter(|_| last == Some(kind)) {
            Some(word) => word.push(character),
            None => words.push(character.to_string()),
        }
        last = Some(kind);
    }
    Ok(words)
}

/// A condition that the program knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuiltIn {
    /// Time of a function is not proven.
    Gap,
    /// The service forgot time of a function before it was archived.
    Lost,
    /// What is pending of a function may soon be forgotten.
    AboutToBeLost,
    /// The service refused access.
    Refused,
    /// The service records nothing of a function.
    NotRecorded,
    /// No run left nothing to do for too long.
    NoGoodRun,
    /// Records came later than the settle delay waits for.
    Late,
    /// A check of the archive found something.
    Check,
}

impl BuiltIn {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Gap,
        Self::Lost,
        Self::AboutToBeLost,
        Self::Refused,
        Self::NotRecorded,
        Self::NoGoodRun,
        Self::Late,
        Self::Check,
    ];

    /// Its name, in the configuration and in what is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Lost => "lost",
            Self::AboutToBeLost => "about-to-be-lost",
            Self::Refused => "refused",
            Self::NotRecorded => "not-recorded",
            Self::NoGoodRun => "no-good-run",
            Self::Late => "late",
            Self::Check => "check",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Condition, String> {
        text.parse()
    }

    #[test]
    fn all_comparisons_have_to_hold() {
        let condition = read("failed_percent>5 and records >= 20").unwrap();
        assert_eq!(condition.columns().collect::<Vec<_>>(), ["failed_percent", "records"]);
        for (percent, records, holds) in [
            (Some(5.1), Some(20.0), true),
            (Some(5.0), Some(20.0), false),
            (Some(50.0), Some(19.0), false),
            (None, Some(20.0), false),
        ] {
            let value = |name: &str| if name == "records" { records } else { percent };
            assert_eq!(condition.holds(value), holds, "{percent:?} {records:?}");
        }
        for (text, value, holds) in [
            ("a < 1", 1.0, false),
            ("a <= 1", 1.0, true),
            ("a = 1", 1.0, true),
            ("a != 1", 1.0, false),
            ("a > -0.5", 0.0, true),
            ("a >= 1e3", 999.0, false),
        ] {
            assert_eq!(read(text).unwrap().holds(|_| Some(value)), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for (text, why) in [
            ("", "each part has the form"),
            ("records", "each part has the form"),
            ("records > 1 and", "each part has the form"),
            ("records > 1, fail > 2", "`,` belongs to no column"),
            ("1 > records", "`1` is no column"),
            ("records => 1", "`=>` compares nothing"),
            ("records > many", "`many` is no number"),
            ("records > inf", "`inf` is no number"),
            ("records > 1 or fail > 2", "each part has the form"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(why), "{text}: {told}");
        }
        assert!(read(&["a > 1"; 17].join(" and ")).is_err());
    }

    #[test]
    fn built_in_conditions_are_known_by_their_names() {
        for known in BuiltIn::ALL {
            assert_eq!(BuiltIn::named(known.as_str()), Some(known));
        }
        assert_eq!(BuiltIn::named("gaps"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-z_ <>=!0-9.,+-]{0,30}|\\PC{0,20}") {
            if let Ok(condition) = read(&text) {
                prop_assert_eq!(read(&condition.to_string()), Ok(condition));
            }
        }
    }
}
