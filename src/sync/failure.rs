//! Failed calls as failures of a command.

use crate::api::{Asked, CallFailure, Meaning};
use crate::error::{Failure, FailureKind, Hint, Step};
use std::time::Duration;

/// A wait that is worth telling the reader of.
const LONG_WAIT: Duration = Duration::from_mins(1);

/// A failed call as the failure of a command: refused access, or something that may pass.
pub fn to_failure(failure: CallFailure) -> Failure {
    let kind = if failure.is_denied() {
        FailureKind::Denied
    } else if failure.is_misconfigured() {
        FailureKind::Usage
    } else {
        FailureKind::Incomplete
    };
    let shown = Failure { hint: next_step(&failure), ..Failure::new(kind, failure.to_string()) };
    match failure.cause {
        Some(cause) => shown.because(cause),
        None => shown,
    }
}

/// What to do about a failed call.
fn next_step(failure: &CallFailure) -> Option<Hint> {
    let is_of_iam = failure.asked == Asked::Iam;
    Some(match failure.meaning {
        _ if failure.asked == Asked::Metadata => {
            "the metadata of a cloud server answers on that server alone, and holds keys once an \
             agency is given to the server"
                .into()
        }
        Meaning::Throttled { retry_after: Some(wait) } if wait >= LONG_WAIT => {
            let minutes = wait.as_secs().div_ceil(60);
            format!("the service asks to wait {minutes} minutes; run again then").into()
        }
        Meaning::Throttled { .. } => Step::SlowDown.into(),
        Meaning::Unavailable { .. }
        | Meaning::Unreachable
        | Meaning::Untrusted
        | Meaning::OtherProtocol
        | Meaning::Timeout
        | Meaning::BrokenAnswer
        | Meaning::NotFound
        | Meaning::Refused
        | Meaning::TooLarge
            if is_of_iam =>
        {
            Step::ReachIam.into()
        }
        Meaning::Unavailable { .. } | Meaning::Timeout | Meaning::BrokenAnswer => {
            Step::AwaitService.into()
        }
        Meaning::Unreachable => Step::ReachService.into(),
        Meaning::Untrusted => Step::TrustService.into(),
        Meaning::Proxy(_) => Step::PassProxy.into(),
        Meaning::Denied => "check the credentials and this machine's clock; \
             five refused signatures lock a key for five minutes"
            .into(),
        Meaning::Forbidden if is_of_iam => Step::NameProject.into(),
        Meaning::Forbidden => {
            "give the user of these credentials the permission to read the project's functions \
             and their asynchronous invocations (a policy such as FunctionGraph ReadOnlyAccess)"
                .into()
        }
        Meaning::LoginRefused => Step::CorrectLogin.into(),
        Meaning::TokenExpired => {
            "fetch a new token where you set one (it lasts 24 hours); where a password is used, \
             run again, and see what IAM issues"
                .into()
        }
        Meaning::NotFound => Step::CorrectFunction.into(),
        Meaning::Refused => Step::CorrectProject.into(),
        Meaning::UnknownProject => Step::NameProject.into(),
        Meaning::TooLarge | Meaning::OtherProtocol => Step::CheckAddress.into(),
        Meaning::Misconfigured => return None,
    })
}
