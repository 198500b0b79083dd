//! Answers that are no success: the many shapes of an error body, and what they mean.
//!
//! Shapes: the vendor SDKs' exception handlers, in their order. Codes: the vendor's tables for
//! FunctionGraph (`FSS.nnnn`) and its gateway (`APIG.nnnn` and `APIGW.nnnn`, alike but for the
//! prefix).

use super::redaction::{Redactor, Scope};
use super::wire::{ErrorFields, error_fields};
use super::{Meaning, ProxyRefusal};
use std::time::Duration;

/// How much of the service's words is shown: a line, not a page of HTML.
const LONGEST_MESSAGE: usize = 300;

/// The same for codes and request ids.
const LONGEST_CODE: usize = 80;

/// What a request is authenticated by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// A token, which can expire.
    Token,
    /// A signature.
    Signature,
    /// The name and the password of a user, in the body.
    Password,
    /// Nothing: whoever asks on the server may.
    Nothing,
}

/// What an error body says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Option<Box<str>>,
    pub(super) message: Option<Box<str>>,
    pub(super) request_id: Option<Box<str>>,
    /// What the message says of a token, told before a word of it is covered.
    pub(super) is_of_invalid_token: bool,
    pub(super) is_of_old_token: bool,
}

impl Refusal {
    /// Reads any body; what is no JSON counts as words. The head of an answer may name the request,
    /// too, and comes first. Secrets are covered before anything is cut, and in all that is shown
    /// in one line at once: one may begin in the code and end in the message.
    pub(super) fn read(body: &str, request_id: Option<&str>, redactor: &Redactor) -> Self {
        let words = || without_tags(&redactor.redact(body)).into();
        let words = || ErrorFields { message: Some(words()), ..ErrorFields::default() };
        let said = error_fields(body).unwrap_or_else(words);
        let says = |words: &str| speaks_of(said.message.as_deref(), words);
        let (is_of_invalid_token, is_of_old_token) =
            (says("invalid token"), says("token must be updated"));
        let request_id = request_id.map(Box::from).or(said.request_id);
        let shown =
            [(Scope::Values, said.code), (Scope::Words, said.message), (Scope::Values, request_id)];
        let [code, message, request_id] = redactor.redact_together(shown);
        Self {
            code: code.as_deref().and_then(code_line),
            message: message.as_deref().and_then(message_line),
            request_id: request_id.as_deref().and_then(code_line),
            is_of_invalid_token,
            is_of_old_token,
        }
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// The number of a gateway's code: `0308` of `APIG.0308` and of `APIGW.0308`.
    fn gateway_number(&self) -> Option<&str> {
        let code = self.code.as_deref()?;
        code.strip_prefix("APIGW.").or_else(|| code.strip_prefix("APIG."))
    }

    fn is_of_service(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.starts_with("FSS."))
    }

    /// What an answer of this status and body means to a request that carried this.
    pub(super) fn meaning(
        &self,
        status: u16,
        shown: Shown,
        retry_after: Option<Duration>,
    ) -> Meaning {
        match status {
            407 => Meaning::Proxy(ProxyRefusal::Login),
            429 => Meaning::Throttled { retry_after },
            408 | 500..=599 => Meaning::Unavailable { retry_after },
            _ if self.has_code(&["FSS.0429"]) || self.gateway_number() == Some("0308") => {
                Meaning::Throttled { retry_after }
            }
            // There is no token yet that could have expired.
            401 | 403 if shown == Shown::Password => Meaning::LoginRefused,
            401 if self.is_expired_token(shown == Shown::Token) => Meaning::TokenExpired,
            // The listing's own page documents 403 "invalid token".
            403 if shown == Shown::Token && self.is_of_invalid_token => Meaning::TokenExpired,
            // 403 may refuse this one call only. It refuses all of them where the token is invalid.
            403 if !self.is_of_invalid_token => Meaning::Forbidden,
            401 | 403 => Meaning::Denied,
            // Only the service itself knows that there is no such function. Another's 404, of a
            // gateway, a proxy or a wrong endpoint, is about the address.
            404 if self.is_of_service() => Meaning::NotFound,
            404 => Meaning::Refused,
            _ if self.has_code(&["FSS.0404", "FSS.1051", "FSS.1058"]) => Meaning::NotFound,
            _ => Meaning::Refused,
        }
    }

    /// Whether a 401 may be cured by a new token. A missing place on a whitelist is not.
    fn is_expired_token(&self, with_token: bool) -> bool {
        let says_so = self.gateway_number() == Some("0307") || self.is_of_old_token;
        says_so || (with_token && !self.has_code(&["FSS.1118"]))
    }
}

fn speaks_of(message: Option<&str>, words: &str) -> bool {
    message.is_some_and(|message| message.to_ascii_lowercase().contains(words))
}

/// Words of the service as part of one line.
pub(super) fn message_line(text: &str) -> Option<Box<str>> {
    one_line(text, LONGEST_MESSAGE)
}

/// A code or an id of the service as part of one line.
pub(super) fn code_line(text: &str) -> Option<Box<str>> {
    one_line(text, LONGEST_CODE)
}

/// A text on one line: blanks joined, control characters gone, cut at a length in characters.
fn one_line(text: &str, longest: usize) -> Option<Box<str>> {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if line.is_empty() {
        return None;
    }
    let cut: String = line.chars().take(longest).collect();
    Some(if cut.len() < line.len() { format!("{cut}…").into() } else { cut.into() })
}

/// The words of an HTML page; any other text stays as it is.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    // What stands before the first `>` of a piece is the inside of a tag.
    let words: Vec<_> =
        text.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, words)| words).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn read(body: &str) -> (Option<String>, Option<String>) {
        let Refusal { code, message, .. } = Refusal::read(body, None, &Redactor::default());
        (code.map(String::from), message.map(String::from))
    }

    fn said(code: &str, message: &str) -> (Option<String>, Option<String>) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (some(code), some(message))
    }

    #[test]
    fn every_shape_the_vendors_sdks_accept_is_read() {
        for (body, expected) in [
            (
                r#"{"error_code":"FSS.0403","error_msg":"invalid token"}"#,
                said("FSS.0403", "invalid token"),
            ),
            (
                r#"{"error_msg":"m","error_code":"APIGW.0301","request_id":"r"}"#,
                said("APIGW.0301", "m"),
            ),
            (r#"{"errorCode":"A","errorMsg":"m"}"#, said("A", "m")),
            (r#"{"code":"A","message":"m"}"#, said("A", "m")),
            (r#"{"error":{"code":401,"message":"m","title":"Unauthorized"}}"#, said("401", "m")),
            (r#"{"error":{"error_code":"A","error_msg":"m"}}"#, said("A", "m")),
            (r#"{"message":"m"}"#, said("", "m")),
            (r#"{"error_code":"A","error_msg":null}"#, said("A", "")),
            ("no json", said("", "no json")),
            ("[1]", said("", "[1]")),
            (r#"{"what":"else"}"#, said("", r#"{"what":"else"}"#)),
            (
                "<html><head><title>502 Bad\nGateway</title></head><body>nginx</body></html>",
                said("", "502 Bad Gateway nginx"),
            ),
            ("", said("", "")),
            ("a\u{0}\u{1b}[31mb\r\nc", said("", "a [31mb c")),
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
        let with_id =
            Refusal::read(r#"{"error_code":"A","request_id":"r"}"#, None, &Redactor::default());
        assert_eq!(with_id.request_id.as_deref(), Some("r"));
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let (_, message) = read(&"é".repeat(1000));
        assert_eq!(message, Some(format!("{}…", "é".repeat(LONGEST_MESSAGE))));
    }

    #[test]
    fn a_refusal_means_what_the_vendors_tables_say() {
        let meaning = |status, code: &str, message: &str, shown| {
            let body = format!(r#"{{"error_code":"{code}","error_msg":"{message}"}}"#);
            Refusal::read(&body, None, &Redactor::default()).meaning(status, shown, None)
        };
        let throttled = Meaning::Throttled { retry_after: None };
        let unavailable = Meaning::Unavailable { retry_after: None };
        let (with_token, without) = (Shown::Token, Shown::Signature);
        for (status, code, message, shown, expected) in [
            (407, "", "", without, Meaning::Proxy(ProxyRefusal::Login)),
            (429, "APIG.0308", "x", without, throttled),
            (429, "", "", without, throttled),
            (403, "APIGW.0308", "x", without, throttled),
            (400, "FSS.0429", "x", without, throttled),
            (408, "", "", without, unavailable),
            (500, "FSS.0500", "xxx", without, unavailable),
            (503, "APIG.0613", "x", without, unavailable),
            (
                401,
                "APIGW.0301",
                "Incorrect IAM authentication information",
                without,
                Meaning::Denied,
            ),
            (
                401,
                "APIGW.0301",
                "Incorrect IAM authentication information",
                with_token,
                Meaning::TokenExpired,
            ),
            (401, "APIG.0307", "The token must be updated.", without, Meaning::TokenExpired),
            (401, "FSS.1118", "not in the whitelist", with_token, Meaning::Denied),
            (403, "FSS.0403", "invalid token", without, Meaning::Denied),
            (403, "FSS.0403", "invalid token", with_token, Meaning::TokenExpired),
            (403, "FSS.1126", "no permission", with_token, Meaning::Forbidden),
            (404, "FSS.0404", "can not find function", without, Meaning::NotFound),
            (404, "FSS.1051", "x", with_token, Meaning::NotFound),
            (404, "APIG.0101", "The API does not exist", without, Meaning::Refused),
            (404, "", "404 Not Found nginx", without, Meaning::Refused),
            (404, "404", "no route", without, Meaning::Refused),
            (400, "FSS.1051", "x", without, Meaning::NotFound),
            (400, "FSS.1001", "invalid query parameter", without, Meaning::Refused),
            (302, "", "", with_token, Meaning::Refused),
        ] {
            assert_eq!(
                meaning(status, code, message, shown),
                expected,
                "{status} {code} {shown:?}"
            );
        }
        for (status, code, message, expected) in [
            (401, "401", "The username or password is wrong.", Meaning::LoginRefused),
            (401, "IAM.0001", "The token must be updated", Meaning::LoginRefused),
            (401, "APIG.0307", "x", Meaning::LoginRefused),
            (403, "403", "Access denied, invalid token", Meaning::LoginRefused),
            (429, "", "", throttled),
            (503, "", "", unavailable),
            (404, "404", "no route", Meaning::Refused),
        ] {
            assert_eq!(
                meaning(status, code, message, Shown::Password),
                expected,
                "{status} {code} {message}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_makes_one_short_line(text in prop::collection::vec(any::<char>(), 0..400)) {
            let refusal =
                Refusal::read(&text.iter().collect::<String>(), None, &Redactor::default());
            for line in [refusal.code, refusal.message].into_iter().flatten() {
                prop_assert!(!line.is_empty() && !line.contains(char::is_control));
                prop_assert!(line.chars().count() <= LONGEST_MESSAGE + 1);
            }
        }
    }
}
