//! One question of a check-up, and whether others can be asked after it failed.

use crate::api::{CallFailure, Client, Meaning};
use crate::domain::{FunctionUrn, Page, ProbeQuery, Shape, Timestamp};
use crate::requester::Requester;

/// The function that is asked about what is open, and the first page of its longest window.
pub(super) struct Subject {
    pub(super) urn: FunctionUrn,
    pub(super) span: (Timestamp, Timestamp),
    pub(super) first: Page,
}

/// The failure of one question, unless nothing else can be asked either. What is refused with 403
/// may be one function.
pub(super) fn unless_all(
    requester: &Requester<Client>,
    failure: CallFailure,
) -> Result<CallFailure, CallFailure> {
    let may_be_one = failure.meaning == Meaning::Forbidden || !failure.is_denied();
    if may_be_one && requester.refusal().is_none() { Ok(failure) } else { Err(failure) }
}

pub(super) async fn probe_page(
    requester: &Requester<Client>,
    urn: &FunctionUrn,
    query: &ProbeQuery,
) -> Result<(Page, Shape), CallFailure> {
    let call = |urn: FunctionUrn| async move {
        requester.timed(requester.source().probe(&urn, query)).await
    };
    let ((page, shape), sent) = requester.ask_of(urn, call).await?;
    requester.learn_time(sent, page.served_at);
    Ok((page, shape))
}
