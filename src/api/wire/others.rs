//! The bodies of the other calls: functions, their asynchronous configuration, projects, tokens.

use super::body::{BadBody, text_of};
use super::errors::Complaint;
use super::fields::Fields;
use super::scalar::{Scalar, Text};
use crate::domain::{FunctionPage, Marker};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The most entries read from one page of the functions' listing, hundreds of times the documented
/// maximum: more is no page but a mistake, and memory is sized for pages.
const MAX_ENTRIES: usize = 250_000;

/// Reads a page of the functions' listing.
pub(crate) fn decode_functions(body: &[u8]) -> Result<FunctionPage, BadBody> {
    let text = text_of(body)?;
    let fields: Fields<'_> = serde_json::from_str(&text)?;
    let list = fields.get_only("functions")?;
    let complaint = Complaint::of(fields.others(&["functions", "count", "next_marker"]));
    if complaint.is_error(list.is_some_and(|list| !matches!(list.get(), "null" | "[]"))) {
        return Err(BadBody::Error);
    }
    let list =
        list.ok_or_else(|| BadBody::Unreadable("an object without `functions`".to_owned()))?;
    let Entries(page) = serde_json::from_str::<Option<Entries>>(list.get())?.unwrap_or_default();
    if page.keys.len() > MAX_ENTRIES {
        return Err(BadBody::TooManyRecords);
    }
    let number = |name| {
        Ok::<_, BadBody>(fields.get_only(name)?.and_then(|raw| Scalar::from_raw(raw).to_count()))
    };
    Ok(FunctionPage {
        count: number("count")?,
        next_marker: number("next_marker")?.map(Marker),
        ..page
    })
}

/// The entries of a page, at most one more than [`MAX_ENTRIES`].
#[derive(Default)]
struct Entries(FunctionPage);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of functions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut page = FunctionPage::default();
        while page.keys.len() <= MAX_ENTRIES {
            match seq.next_element::<&RawValue>()? {
                Some(entry) => push_entry(&mut page, entry),
                None => return Ok(Entries(page)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entries(page))
    }
}

fn push_entry(page: &mut FunctionPage, entry: &RawValue) {
    match function_urn(entry) {
        Some(urn) => match urn.parse() {
            Ok(urn) => page.push(urn),
            Err(_) => page.push_unreadable("a function's URN cannot be read", entry.get()),
        },
        None => page.push_unreadable("an entry of the list of functions has no URN", entry.get()),
    }
}

/// The field that was asked for; a body that carries an error instead of it, or beside it, is
/// refused.
fn answered<'a>(text: &'a str, asked: &str) -> Result<Option<&'a RawValue>, BadBody> {
    let fields: Fields<'a> = serde_json::from_str(text)?;
    let value = fields.get_only(asked)?;
    let holds_something = value.is_some_and(|value| !matches!(value.get(), "null" | "[]" | "{}"));
    if Complaint::of(fields.others(&[asked])).is_error(holds_something) {
        Err(BadBody::Error)
    } else {
        Ok(value)
    }
}

fn function_urn<'a>(entry: &'a RawValue) -> Option<Cow<'a, str>> {
    let fields: Fields<'a> = serde_json::from_str(entry.get()).ok()?;
    let Text(urn) = serde_json::from_str(fields.get("func_urn")?.get()).ok()?;
    Some(urn)
}

/// Reads whether the records of a function are kept; nothing when its configuration does not say.
pub(crate) fn decode_status_log(body: &[u8]) -> Result<Option<bool>, BadBody> {
    let text = text_of(body)?;
    Ok(match answered(&text, "enable_async_status_log")?.map(RawValue::get) {
        Some("true" | "\"true\"") => Some(true),
        Some("false" | "\"false\"") => Some(false),
        _ => None,
    })
}

/// A page of the projects that IAM shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectsPage {
    pub(crate) projects: Vec<NamedProject>,
    /// The address at which the list goes on.
    pub(crate) next: Option<String>,
}

/// A project, as IAM names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct NamedProject {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    /// False where it is switched off.
    #[serde(rename = "enabled", default = "yes")]
    pub(crate) is_enabled: bool,
}

fn yes() -> bool {
    true
}

/// Reads the projects that a look-up by name found.
pub(crate) fn decode_projects(body: &[u8]) -> Result<ProjectsPage, BadBody> {
    #[derive(Deserialize)]
    struct Answer {
        projects: Vec<NamedProject>,
        links: Option<Links>,
    }
    #[derive(Deserialize)]
    struct Links {
        next: Option<String>,
    }
    let text = text_of(body)?;
    answered(&text, "projects")?;
    let Answer { projects, links } = serde_json::from_str(&text)?;
    Ok(ProjectsPage { projects, next: links.and_then(|links| links.next) })
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

/// Reads the project of a new token; a token that is not for a project has none.
pub(crate) fn decode_token_project(body: &[u8]) -> Result<Option<String>, BadBody> {
    #[derive(Deserialize)]
    struct Answer {
        token: Token,
    }
    #[derive(Deserialize)]
    struct Token {
        project: Option<Project>,
    }
    let text = text_of(body)?;
    answered(&text, "token")?;
    let answer: Answer = serde_json::from_str(&text)?;
    Ok(answer.token.project.map(|project| project.id))
}

/// The keys of a server's agency as its metadata names them, until a moment as a text.
#[derive(Deserialize)]
pub(crate) struct AgencyKeys {
    pub(crate) access: String,
    pub(crate) secret: String,
    pub(crate) securitytoken: String,
    pub(crate) expires_at: String,
}

/// Reads the keys of an agency; nothing where one of them is missing or empty. The error of the
/// reader would quote them.
pub(crate) fn decode_agency_keys(body: &[u8]) -> Option<AgencyKeys> {
    #[derive(Deserialize)]
    struct Answer {
        credential: AgencyKeys,
    }
    let Answer { credential } = serde_json::from_slice(body).ok()?;
    let AgencyKeys { access, secret, securitytoken, .. } = &credential;
    [access, secret, securitytoken].iter().all(|it| !it.is_empty()).then_some(credential)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn functions_that_cannot_be_read_are_named() {
        let body = br#"{"functions":[{"func_urn":"urn:fss:r:p:function:default:a","x":1},
{"func_urn":5},7],
"next_marker":"3","count":3}"#;
        let page = decode_functions(body).unwrap();
        assert_eq!(
            page.functions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["urn:fss:r:p:function:default:a"]
        );
        let raw: Vec<&str> = page.rejects.iter().map(|reject| reject.raw.as_str()).collect();
        assert_eq!((page.unreadable, raw, page.length()), (2, vec![r#"{"func_urn":5}"#, "7"], 3));
        assert_eq!((page.count, page.next_marker), (Some(3), Some(Marker(3))));
        assert_eq!(decode_functions(br#"{"functions":null}"#), Ok(FunctionPage::default()));
        assert_eq!(decode_functions(br#"{"error_code":"FSS.0500"}"#), Err(BadBody::Error));
    }

    #[test]
    fn what_names_no_function_is_kept_aside_with_its_text() {
        let urns = [
            "null",
            "7",
            "{}",
            r#"{"func_urn":null}"#,
            r#"{"func_urn":"report"}"#,
            "[]",
            "\"x\"",
            "true",
        ];
        let blank = r#"{"func_urn":"urn:fss:r:p:function:default:a b"}"#;
        for entry in urns.into_iter().chain([blank]) {
            let page =
                decode_functions(format!(r#"{{"functions":[{entry}]}}"#).as_bytes()).unwrap();
            assert_eq!(
                (page.unreadable, page.length(), page.functions.len()),
                (1, 1, 0),
                "{entry}"
            );
            assert_eq!(page.rejects[0].raw, entry);
        }
    }

    #[test]
    fn many_bad_entries_are_counted_and_some_are_kept() {
        let body = |entries: usize| {
            format!(r#"{{"functions":[{}]}}"#, vec!["null"; entries].join(",")).into_bytes()
        };
        let page = decode_functions(&body(200_000)).unwrap();
        assert_eq!((page.unreadable, page.rejects.len(), page.length()), (200_000, 100, 200_000));
        assert_eq!(decode_functions(&body(MAX_ENTRIES + 1)), Err(BadBody::TooManyRecords));
    }

    /// Taken for a list, it would say that every function is gone.
    #[test]
    fn an_answer_that_carries_an_error_is_no_list() {
        for error in [
            r#""error_code":"FSS.0500""#,
            r#""error_msg":"x""#,
            r#""errorCode":500"#,
            r#""errorMsg":"x""#,
        ] {
            let body = format!(r#"{{{error},"functions":[],"count":0}}"#);
            assert_eq!(decode_functions(body.as_bytes()), Err(BadBody::Error), "{body}");
        }
        for nothing in ["null", "\"\"", "0"] {
            let body = format!(r#"{{"error_code":{nothing},"functions":[],"count":0}}"#);
            assert_eq!(
                decode_functions(body.as_bytes()).map(|page| page.count),
                Ok(Some(0)),
                "{body}"
            );
        }
    }

    #[test]
    fn a_configuration_says_whether_records_are_kept() {
        let read = |text: &str| decode_status_log(text.as_bytes());
        assert_eq!(read(r#"{"enable_async_status_log": true}"#), Ok(Some(true)));
        assert_eq!(
            read(r#"{"enable_async_status_log": "false", "max_async_retry_attempts": 3}"#),
            Ok(Some(false))
        );
        assert_eq!(read(r#"{"enable_async_status_log": null}"#), Ok(None));
        assert_eq!(read("{}"), Ok(None));
        assert!(read("[]").is_err());
    }

    #[test]
    fn projects_and_tokens_give_their_ids() {
        let project = |id: &str, name: Option<&str>, is_enabled| NamedProject {
            id: id.to_owned(),
            name: name.map(str::to_owned),
            is_enabled,
        };
        let body = br#"{"projects":[{"id":"a","name":"r","enabled":false},{"id":"b"}],
"links":{"next":"https://iam.example/v3/projects?marker=b","self":null}}"#;
        assert_eq!(
            decode_projects(body),
            Ok(ProjectsPage {
                projects: vec![project("a", Some("r"), false), project("b", None, true)],
                next: Some("https://iam.example/v3/projects?marker=b".to_owned()),
            })
        );
        for ended in [r#"{"projects":[],"links":{"next":null}}"#, r#"{"projects":[]}"#] {
            let page = decode_projects(ended.as_bytes());
            assert_eq!(page, Ok(ProjectsPage { projects: vec![], next: None }), "{ended}");
        }
        assert!(decode_projects(b"{}").is_err());
        assert_eq!(
            decode_token_project(br#"{"token":{"project":{"id":"a"},"roles":[]}}"#),
            Ok(Some("a".into()))
        );
        assert_eq!(decode_token_project(br#"{"token":{"domain":{"id":"d"}}}"#), Ok(None));
    }

    #[test]
    fn an_answer_that_carries_an_error_says_nothing_else() {
        for error in [
            r#""error_code":"FSS.0500","error_msg":"x""#,
            r#""error":{"code":500,"message":"x"}"#,
            r#""code":"A""#,
        ] {
            let with = |field: &str| format!("{{{field},{error}}}").into_bytes();
            assert_eq!(
                decode_functions(&with(r#""functions":[]"#)),
                Err(BadBody::Error),
                "{error}"
            );
            assert_eq!(
                decode_functions(&with(r#""functions":[{}],"count":1"#)),
                Err(BadBody::Error),
                "{error}"
            );
            assert_eq!(decode_status_log(&with(r#""x":1"#)), Err(BadBody::Error), "{error}");
            assert_eq!(decode_projects(&with(r#""projects":[]"#)), Err(BadBody::Error), "{error}");
            assert_eq!(
                decode_token_project(&with(r#""token":{}"#)),
                Err(BadBody::Error),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode_functions(&bytes);
            let _ = decode_status_log(&bytes);
            let _ = decode_projects(&bytes);
            let _ = decode_token_project(&bytes);
        }
    }
}
