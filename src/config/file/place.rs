//! What is wrong with the file, and where.

use crate::config::origin::{Origin, Setting};
use crate::config::variables::usage;
use crate::domain::nearest;
use crate::error::{Failure, Place};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// How alike a key must be to be offered in place of another. Jaro-Winkler's measure gives a
/// mistyped letter or two in a word more than this, and words of another meaning less.
const ALIKE: f64 = 0.75;

/// A file that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    /// What `~/` at the begin of a path stands for.
    pub(super) home: Option<&'a Path>,
}

impl Written<'_> {
    /// What is wrong at a place, with the line it stands in.
    pub(super) fn wrong(&self, span: &Range<usize>, what: impl AsRef<str>) -> Failure {
        let place = Place::at(self.text, span.start);
        let Place { line, column, .. } = place;
        let message = format!(
            "the configuration `{}`, line {line}, column {column}: {}",
            self.path.display(),
            what.as_ref()
        );
        let place = Some(place).filter(|place| !may_hold_secret(&place.text));
        Failure { place, ..usage(message) }
    }

    /// The line of a place, from 1 on.
    fn line(&self, span: &Range<usize>) -> usize {
        Place::at(self.text, span.start).line
    }

    /// A value as a setting, which knows where it comes from.
    pub(super) fn setting<T, U>(
        &self,
        key: &'static str,
        value: &Spanned<T>,
        read: impl FnOnce(&T) -> Result<U, String>,
    ) -> Result<Setting<U>, Failure> {
        let span = value.span();
        let read = read(value.get_ref());
        let value = read.map_err(|why| self.wrong(&span, format!("`{key}`: {why}")))?;
        Ok(Setting { value, origin: self.origin(key, &span) })
    }

    /// Where a value comes from.
    pub(super) fn origin(&self, key: &'static str, span: &Range<usize>) -> Origin {
        Origin::File { path: self.path.to_owned(), key, line: Some(self.line(span)) }
    }

    /// A failure of the reader of TOML in the words of the other failures.
    pub(super) fn unreadable(&self, error: &toml::de::Error) -> Failure {
        let span = error.span().unwrap_or_default();
        let said = error.message().lines().next().unwrap_or_default();
        match unknown_key(said) {
            Some((key, known)) => self.stranger(&span, key, &known),
            None => self.wrong(&span, in_words(said)),
        }
    }

    fn stranger(&self, span: &Range<usize>, key: &str, known: &[&str]) -> Failure {
        let failure = self.wrong(span, format!("there is no key `{key}` here"));
        if ["ak", "sk", "token", "password", "secret_key"].contains(&key) {
            return failure.hint(
                "no secret stands in the configuration: `credentials` names a profile, variables, \
                 a file, a command or the server's metadata",
            );
        }
        if let Some(table) = table_of(key) {
            return failure.hint(format!("it belongs in {table}"));
        }
        match nearest(key, known.iter().copied()).next().filter(|near| are_alike(key, near)) {
            Some(near) => failure.hint(format!("the nearest key is `{near}`")),
            None => failure.hint(format!("the keys here are {}", known.join(", "))),
        }
    }
}

/// Where a key belongs that is written somewhere else.
fn table_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "archive" | "reports" => "the first lines, above all tables",
        "verify_budget" => "[defaults]",
        "ping" | "webhook" | "max_age" | "ignore" => "[notify]",
        "when" | "over" | "report" | "rows" | "for" | "parameters" => "an [[alert]]",
        "name" | "project_id" | "endpoint" | "functions" | "exclude" | "credentials" => {
            "a [[source]]"
        }
        "region" | "since" | "settle_delay" | "open_recheck" | "max_rps" | "concurrency"
        | "request_timeout" | "ca_cert" | "allow_plain_http" => "[defaults] or a [[source]]",
        _ => return None,
    })
}

/// Whether a name may have been meant by one that is none.
pub(super) fn are_alike(given: &str, name: &str) -> bool {
    strsim::jaro_winkler(given, name) > ALIKE
}

/// Whether a line is better not shown: who mistakes the file for one of keys has written one there.
fn may_hold_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let names = [
        "sk",
        "ak",
        "token",
        "password",
        "secret",
        "credentials",
        "access",
        "key",
        "ping",
        "webhook",
    ];
    let words = line.split(|character: char| !character.is_ascii_alphanumeric());
    let has_name = words.into_iter().any(|word| names.contains(&word));
    has_name || line.contains("://") && line.contains('@')
}

/// The key that nobody knows and those that are known, of serde's sentence about it.
fn unknown_key(said: &str) -> Option<(&str, Vec<&str>)> {
    let rest = said.strip_prefix("unknown field `")?;
    let (key, known) = rest.split_once("`, expected ")?;
    // Every second part stands between backticks.
    Some((key, known.split('`').skip(1).step_by(2).collect()))
}

/// Serde's words for types, in those of the file.
fn in_words(said: &str) -> String {
    if let Some(key) = said.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    let Some((found, expected)) =
        said.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    else {
        return said.to_owned();
    };
    // The value itself may be a secret that does not belong here; the line shows the others.
    let found = found.split([' ', '`', '"']).next().unwrap_or_default();
    format!("the value is {}, and {} is expected", with_article(found), with_article(expected))
}

fn with_article(kind: &str) -> String {
    match kind {
        "f64" | "float" | "floating" => "a number".to_owned(),
        "i64" | "integer" => "an integer".to_owned(),
        "sequence" | "a sequence" => "a list".to_owned(),
        "map" | "a map" | "table" => "a table".to_owned(),
        "a boolean" | "boolean" => "true or false".to_owned(),
        "string" | "a string" => "a text in quotes".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}
