//! Failed calls as failures of a command.

use crate::api::CallFailure;
use crate::error::{Failure, FailureKind};

/// A failed call as the failure of a command: refused access, or something that may pass.
pub fn to_failure(failure: CallFailure) -> Failure {
    let kind = if failure.is_denied() {
        FailureKind::Denied
    } else if failure.is_misconfigured() {
        FailureKind::Usage
    } else {
        FailureKind::Incomplete
    };
    let shown = Failure::new(kind, failure.to_string());
    let shown = match failure.hint() {
        Some(hint) => shown.hint(hint),
        None => shown,
    };
    match failure.cause {
        Some(cause) => shown.because(cause),
        None => shown,
    }
}
