//! One function's part of a run: asks what its schedule says, hands over what comes.

use super::message::{Message, MessageSender};
use crate::api::CallFailure;
use crate::domain::{FunctionUrn, Page};
use crate::plan::clocks::Moment;
use crate::plan::schedule::{self, Answer, Effect, Note, Question, Schedule, Work};
use crate::requester::{FunctionRequester, Requester, Setback, Source};
use futures_util::stream::{FuturesUnordered, StreamExt};

/// What walking a function came to.
pub(super) type Walked = schedule::Walked<CallFailure>;

/// Does a function's part of a run. What cannot be had of it is left for the next run; only where
/// the function itself cannot be had, the rest is not asked for.
pub(super) async fn work<S: Source>(
    requester: &Requester<S>,
    urn: &FunctionUrn,
    work: Work,
    messages: MessageSender,
) -> Walked {
    let function = FunctionRequester { requester, urn, sink: messages.sink() };
    let mut schedule = Schedule::new(work);
    let mut under_way = FuturesUnordered::new();
    let mut effects = schedule.begin(requester.present());
    loop {
        for effect in effects {
            match effect {
                Effect::Ask(question) => {
                    let function = function.clone();
                    under_way.push(async move {
                        let reply = ask(&function, &question).await;
                        (question, reply)
                    });
                }
                other => carry_out(urn, &messages, other).await,
            }
        }
        let next = if schedule.is_over() { None } else { under_way.next().await };
        let Some((question, reply)) = next else { break };
        effects = match reply {
            Ok(Reply::Page(page, seen_at)) => {
                let effects =
                    schedule.take(&question, Ok(Answer::Page(&page, seen_at)), requester.present());
                messages.send_page(page, schedule.habits(), seen_at).await;
                effects
            }
            Ok(Reply::Around) => schedule.take(&question, Ok(Answer::Around), requester.present()),
            Ok(Reply::Recording(enabled)) => {
                schedule.take(&question, Ok(Answer::Recording(enabled)), requester.present())
            }
            Err(setback) => schedule.take(&question, Err(setback), requester.present()),
        };
    }
    schedule.into_walked()
}

/// What the service answered, with the page that it brought.
enum Reply {
    Page(Page, Moment),
    Around,
    Recording(Option<bool>),
}

async fn ask<S: Source>(
    function: &FunctionRequester<'_, S>,
    question: &Question,
) -> Result<Reply, Setback> {
    let page = |(page, seen_at)| Reply::Page(page, seen_at);
    match question {
        Question::Page(_, query, effort) => function.list(*query, *effort).await.map(page),
        Question::Record(id, range, effort) => function.find(id, *range, *effort).await.map(page),
        Question::Around { begin, end, most_pages } => {
            function.take_all(*begin, *end, *most_pages).await;
            Ok(Reply::Around)
        }
        Question::Recording => function.recording().await.map(Reply::Recording),
    }
}

async fn carry_out(urn: &FunctionUrn, messages: &MessageSender, effect: Effect<CallFailure>) {
    let message = match effect {
        Effect::Enter(rows) => Message::Walk(rows),
        Effect::Compare(verification) => Message::VerificationWalk(verification),
        Effect::NoteAsked(recheck) => Message::Asked(recheck),
        Effect::GiveUp(records) => Message::GivenUp(records),
        Effect::Keep(at, fact) => Message::Fact(at, fact),
        Effect::Tell(note) => return tell(urn, note),
        Effect::Ask(_) => return,
    };
    messages.send(message).await;
}

fn tell(urn: &FunctionUrn, note: Note<CallFailure>) {
    let function = urn.full_name();
    match note {
        Note::Believed { window, pages, records, proof } => {
            tracing::debug!(function, %window, pages, records, ?proof, "a walk is believed");
        }
        Note::Doubted(window, doubt) => {
            tracing::debug!(function, %window, ?doubt, "a walk proved nothing");
        }
        Note::TooLong(window) => {
            tracing::debug!(
                function,
                %window,
                "the service refused a window; asking for half of it"
            );
        }
        Note::CannotBeHad(window, reason) => {
            tracing::debug!(function, %window, "a window cannot be had: {reason}");
        }
        Note::RecordsInTheEmpty(range, records) => tracing::warn!(
            function,
            %range,
            records,
            "the service shows records where it showed none to an earlier run; they are archived"
        ),
        Note::NotRecorded => {
            tracing::warn!(
                function,
                "the service records nothing of it: enable_async_status_log is off"
            );
        }
        Note::LeftForLater(failure) => {
            tracing::warn!(function, "left for the next run, no record is missing: {failure}");
        }
    }
}
