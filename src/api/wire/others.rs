//! The bodies of the other calls: functions, their asynchronous configuration, projects, tokens.

use super::careful::Fields;
use super::scalar::{Scalar, Text};
use super::{BadBody, MAX_RECORDS};
use crate::api::FunctionPage;
use crate::domain::Marker;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How much is shown of an entry of the functions' listing that cannot be read.
const SHOWN: usize = 200;

/// Reads a page of the functions' listing.
pub(crate) fn decode_functions(body: &[u8]) -> Result<FunctionPage, BadBody> {
    let text = String::from_utf8_lossy(body);
    let fields: Fields<'_> = serde_json::from_str(&text)?;
    let list =
        fields.get("functions").ok_or_else(|| BadBody::Unreadable("an object without `functions`".to_owned()))?;
    let entries: Vec<&RawValue> = serde_json::from_str::<Option<_>>(list.get())?.unwrap_or_default();
    if entries.len() > MAX_RECORDS {
        return Err(BadBody::TooManyRecords);
    }
    let count = |name| fields.get(name).and_then(|raw| Scalar::from_raw(raw).to_count());
    let mut page = FunctionPage {
        count: count("count"),
        next_marker: count("next_marker").map(Marker),
        ..FunctionPage::default()
    };
    for entry in entries {
        match function_urn(entry).map(|urn| urn.parse()) {
            Some(Ok(urn)) => page.functions.push(urn),
            _ => page.unreadable.push(entry.get().chars().take(SHOWN).collect()),
        }
    }
    Ok(page)
}

fn function_urn<'a>(entry: &'a RawValue) -> Option<Cow<'a, str>> {
    let fields: Fields<'a> = serde_json::from_str(entry.get()).ok()?;
    let Text(urn) = serde_json::from_str(fields.get("func_urn")?.get()).ok()?;
    Some(urn)
}

/// Reads whether the records of a function are kept; nothing when its configuration does not say.
pub(crate) fn decode_status_log(body: &[u8]) -> Result<Option<bool>, BadBody> {
    let text = String::from_utf8_lossy(body);
    let fields: Fields<'_> = serde_json::from_str(&text)?;
    Ok(match fields.get("enable_async_status_log").map(RawValue::get) {
        Some("true" | "\"true\"") => Some(true),
        Some("false" | "\"false\"") => Some(false),
        _ => None,
    })
}

/// Reads the ids of the projects that a look-up by name found.
pub(crate) fn decode_projects(body: &[u8]) -> Result<Vec<String>, BadBody> {
    #[derive(Deserialize)]
    struct Projects {
        projects: Vec<Project>,
    }
    let found: Projects = serde_json::from_slice(body)?;
    Ok(found.projects.into_iter().map(|project| project.id).collect())
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
    let answer: Answer = serde_json::from_slice(body)?;
    Ok(answer.token.project.map(|project| project.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn functions_that_cannot_be_read_are_named() {
        let body = br#"{"functions":[{"func_urn":"urn:fss:r:p:function:default:a","x":1},{"func_urn":5},7],"next_marker":"3","count":3}"#;
        let page = decode_functions(body).unwrap();
        assert_eq!(
            page.functions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["urn:fss:r:p:function:default:a"]
        );
        assert_eq!(page.unreadable, [r#"{"func_urn":5}"#, "7"]);
        assert_eq!((page.count, page.next_marker), (Some(3), Some(Marker(3))));
        assert_eq!(decode_functions(br#"{"functions":null}"#), Ok(FunctionPage::default()));
        assert!(decode_functions(br#"{"error_code":"FSS.0500"}"#).is_err());
    }

    #[test]
    fn a_configuration_says_whether_records_are_kept() {
        let read = |text: &str| decode_status_log(text.as_bytes());
        assert_eq!(read(r#"{"enable_async_status_log": true}"#), Ok(Some(true)));
        assert_eq!(read(r#"{"enable_async_status_log": "false", "max_async_retry_attempts": 3}"#), Ok(Some(false)));
        assert_eq!(read(r#"{"enable_async_status_log": null}"#), Ok(None));
        assert_eq!(read("{}"), Ok(None));
        assert!(read("[]").is_err());
    }

    #[test]
    fn projects_and_tokens_give_their_ids() {
        assert_eq!(
            decode_projects(br#"{"projects":[{"id":"a","name":"r"},{"id":"b"}]}"#),
            Ok(vec!["a".into(), "b".into()])
        );
        assert!(decode_projects(b"{}").is_err());
        assert_eq!(decode_token_project(br#"{"token":{"project":{"id":"a"},"roles":[]}}"#), Ok(Some("a".into())));
        assert_eq!(decode_token_project(br#"{"token":{"domain":{"id":"d"}}}"#), Ok(None));
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
