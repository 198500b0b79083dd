//! What went wrong with one call, by what it means for the caller.

use super::redaction::{Redactor, Scope};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What a failure means: whether to wait, to ask again, to stop, or to ask a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// We ask too fast (429).
    Throttled {
        /// How long the service asks us to wait.
        retry_after: Option<Duration>,
    },
    /// The service cannot answer now (5xx, 408).
    Unavailable {
        /// How long the service asks us to wait.
        retry_after: Option<Duration>,
    },
    /// No answer began: name look-up, connection.
    Unreachable,
    /// The server could not show who it is, or speaks no TLS.
    Untrusted,
    /// What answers does not speak HTTP.
    OtherProtocol,
    /// The proxy does not let us through.
    Proxy(ProxyRefusal),
    /// An answer took too long.
    Timeout,
    /// An answer came, but cut off or unreadable.
    BrokenAnswer,
    /// Access refused: a wrong signature, key or token.
    Denied,
    /// Access to this refused (403): a missing permission, for what was asked or for anything.
    Forbidden,
    /// Access refused: no token is issued for this user and password.
    LoginRefused,
    /// The token is no longer accepted; [`Client::renew`](super::Client::renew) may get another.
    TokenExpired,
    /// There is no such thing, as the service itself says.
    NotFound,
    /// Any other answer that is no success (4xx, and redirects, which are not followed).
    Refused,
    /// The answer is larger than any honest page.
    TooLarge,
    /// The settings name no project that could be asked about.
    UnknownProject,
    /// The call could not be made with the settings at hand.
    Misconfigured,
}

/// Who was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// The service of functions and their records.
    #[default]
    FunctionGraph,
    /// Who gives out tokens and names projects.
    Iam,
    /// The metadata of the cloud server that this is.
    Metadata,
}

/// Why a proxy does not let us through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyRefusal {
    /// It asks for another login than it was shown (407).
    Login,
    /// It opens no tunnel to the service.
    Tunnel,
}

/// The innermost cause of a failure, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub Box<str>);

impl Cause {
    /// The end of a chain of errors: what stands before it in `reqwest` names only its own layers.
    pub(super) fn innermost(error: &dyn Error) -> Self {
        let mut innermost = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self(innermost.to_string().into())
    }
}

/// A call that brought no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// What was asked, with its object: "list invocations of `package:name`".
    pub operation: String,
    /// Who was asked.
    pub asked: Asked,
    /// What it means.
    pub meaning: Meaning,
    /// The HTTP status, where an answer began.
    pub status: Option<u16>,
    /// The service's `error_code`.
    pub code: Option<Box<str>>,
    /// The service's `error_msg`, cut to a line.
    pub message: Option<Box<str>>,
    /// The service's `X-Request-Id`, by which its support finds the call.
    pub request_id: Option<Box<str>>,
    /// What lies beneath, where it is not the service's own answer.
    pub cause: Option<Cause>,
}

impl CallFailure {
    /// A failure of which nothing more is known.
    pub fn new(operation: &str, meaning: Meaning) -> Self {
        let operation = operation.to_owned();
        Self {
            operation,
            asked: Asked::default(),
            meaning,
            status: None,
            code: None,
            message: None,
            request_id: None,
            cause: None,
        }
    }

    pub(super) fn because(mut self, cause: impl Into<Box<str>>) -> Self {
        self.cause = Some(Cause(cause.into()));
        self
    }

    /// The same without any secret in its words.
    pub(super) fn redacted(self, redactor: &Redactor) -> Self {
        let said = [
            (Scope::Values, self.code),
            (Scope::Words, self.message),
            (Scope::Values, self.request_id),
        ];
        let [code, message, request_id] = redactor.redact_together(said);
        let cause = self.cause.map(|Cause(text)| Cause(redactor.redact(&text).into()));
        // Our own words about ids.
        let operation = redactor.redact_as(Scope::Values, &self.operation).into_owned();
        Self { operation, code, message, request_id, cause, ..self }
    }

    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self.meaning {
            Meaning::Throttled { .. }
            | Meaning::Unavailable { .. }
            | Meaning::Unreachable
            | Meaning::Timeout
            | Meaning::BrokenAnswer => true,
            Meaning::Denied
            | Meaning::Forbidden
            | Meaning::LoginRefused
            | Meaning::TokenExpired
            | Meaning::NotFound
            | Meaning::Refused
            | Meaning::TooLarge
            | Meaning::Untrusted
            | Meaning::OtherProtocol
            | Meaning::Proxy(_)
            | Meaning::UnknownProject
            | Meaning::Misconfigured => false,
        }
    }

    /// Whether settings have to be changed before the call can succeed.
    pub fn is_misconfigured(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Untrusted
                | Meaning::OtherProtocol
                | Meaning::Proxy(_)
                | Meaning::UnknownProject
                | Meaning::Misconfigured
        )
    }

    /// Whether no other call can fare better: we are not let in, or do not get to the service at
    /// all.
    pub fn concerns_all_calls(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Denied
                | Meaning::LoginRefused
                | Meaning::Untrusted
                | Meaning::OtherProtocol
                | Meaning::Proxy(_)
        )
    }

    /// Whether the way to the service cannot be used as it is set up, as far as one connection can
    /// tell. Where others have led there, this one has merely failed.
    pub(super) fn is_of_the_way(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Untrusted | Meaning::OtherProtocol | Meaning::Proxy(ProxyRefusal::Tunnel)
        )
    }

    /// Whether the service does not let us in. Asking again with the same key may lock it; after
    /// [`Meaning::TokenExpired`] a new token may be tried once.
    pub fn is_denied(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Denied | Meaning::Forbidden | Meaning::LoginRefused | Meaning::TokenExpired
        )
    }

    /// How long the service asks to wait before the next call.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.meaning {
            Meaning::Throttled { retry_after } | Meaning::Unavailable { retry_after } => {
                retry_after
            }
            _ => None,
        }
    }

    /// Why, without what was asked and without the request's id: the same words for the same
    /// trouble.
    pub fn reason_in_short(&self) -> String {
        let status = self.status.map(|status| format!("HTTP {status}"));
        let said = [&self.code, &self.message].into_iter().flatten().map(ToString::to_string);
        let details: Vec<String> = status.into_iter().chain(said).collect();
        let details =
            if details.is_empty() { String::new() } else { format!(" ({})", details.join(" ")) };
        let cause = self.cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"));
        format!("{}{details}{cause}", self.reason())
    }

    fn reason(&self) -> &'static str {
        match self.meaning {
            Meaning::Throttled { .. } => "the service asks to slow down",
            Meaning::Unavailable { .. } => "the service is unavailable",
            Meaning::Unreachable => "the service cannot be reached",
            Meaning::Untrusted => "no secure connection can be made",
            Meaning::OtherProtocol => "what answers there does not speak HTTP",
            Meaning::Proxy(_) => "the proxy does not let it through",
            Meaning::Timeout => "the answer took too long",
            Meaning::BrokenAnswer => "the answer is broken",
            Meaning::Denied | Meaning::Forbidden | Meaning::LoginRefused => "access is refused",
            Meaning::TokenExpired => "the token is no longer accepted",
            Meaning::NotFound => "it was not found",
            Meaning::Refused => "the service refused the request",
            Meaning::TooLarge => "the answer is too large",
            Meaning::UnknownProject | Meaning::Misconfigured => "the settings do not allow it",
        }
    }

    /// What the service said, in the order a reader wants it: HTTP status, code, words, request id.
    fn details(&self) -> String {
        let status = self.status.map(|status| format!("HTTP {status}"));
        let said: Vec<&str> =
            [&self.code, &self.message].into_iter().flatten().map(AsRef::as_ref).collect();
        let said = (!said.is_empty()).then(|| said.join(" "));
        let request_id = self.request_id.as_ref().map(|id| format!("request id {id}"));
        let parts: Vec<_> = [status, said, request_id].into_iter().flatten().collect();
        parts.join(", ")
    }
}

/// One lower-case sentence without the cause, which stands in [`Error::source`].
impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.operation, self.reason())?;
        match self.details() {
            details if details.is_empty() => Ok(()),
            details => write!(f, " ({details})"),
        }
    }
}

impl Error for CallFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as &dyn Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_sentence_names_operation_cause_code_words_and_request() {
        let mut failure = CallFailure::new(
            "list invocations of `report`",
            Meaning::Throttled { retry_after: None },
        );
        assert_eq!(
            failure.to_string(),
            "cannot list invocations of `report`: the service asks to slow down"
        );
        failure.status = Some(429);
        failure.code = Some("APIG.0308".into());
        failure.message = Some("The throttling threshold has been reached".into());
        failure.request_id = Some("abc".into());
        assert_eq!(
            failure.to_string(),
            "cannot list invocations of `report`: the service asks to slow down \
             (HTTP 429, APIG.0308 The throttling threshold has been reached, request id abc)"
        );
    }

    #[test]
    fn the_same_trouble_is_told_in_the_same_words() {
        let mut failure = CallFailure::new("list invocations of `report`", Meaning::BrokenAnswer)
            .because("no JSON");
        assert_eq!(failure.reason_in_short(), "the answer is broken: no JSON");
        failure.status = Some(500);
        failure.code = Some("FSS.0500".into());
        failure.request_id = Some("abc".into());
        assert_eq!(failure.reason_in_short(), "the answer is broken (HTTP 500 FSS.0500): no JSON");
    }

    #[test]
    fn what_is_refused_is_not_asked_again() {
        let failure = |meaning| CallFailure::new("x", meaning);
        let wait = Some(Duration::from_secs(3));
        assert!(failure(Meaning::Unavailable { retry_after: wait }).is_temporary());
        assert_eq!(failure(Meaning::Throttled { retry_after: wait }).retry_after(), wait);
        for meaning in
            [Meaning::Denied, Meaning::Forbidden, Meaning::LoginRefused, Meaning::TokenExpired]
        {
            assert!(failure(meaning).is_denied() && !failure(meaning).is_temporary());
        }
        assert!(!failure(Meaning::TooLarge).is_temporary());
        let tunnel = Meaning::Proxy(ProxyRefusal::Tunnel);
        for meaning in [Meaning::Untrusted, Meaning::OtherProtocol, tunnel] {
            let failure = failure(meaning);
            assert!(
                failure.is_misconfigured()
                    && failure.concerns_all_calls()
                    && !failure.is_temporary()
            );
        }
    }
}
