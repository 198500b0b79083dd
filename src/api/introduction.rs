//! What became of credentials where they were shown first, for all clients of a command that would
//! show the same to the same server: some wrong passwords lock a user, and some wrong signatures a
//! key.

use super::Endpoint;
use super::credentials::Credentials;
use super::failure::{CallFailure, Meaning};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client waits for what becomes of another's first call. A service that is up answers
/// sooner; one that hangs must not hang the clients of others.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The credentials that the clients of one command show. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Introductions(Arc<Mutex<Vec<Known>>>);

#[derive(Debug)]
struct Known {
    credentials: Credentials,
    server: String,
    introduction: Arc<Introduction>,
}

/// Credentials and a server, to which several clients may show them.
#[derive(Debug, Default)]
pub(super) struct Introduction {
    clients: AtomicUsize,
    accepted: AtomicBool,
    /// Held by who shows them, as long as nobody knows whether they are accepted.
    turn: tokio::sync::Mutex<()>,
    /// Why they were refused, if they were.
    refused: Mutex<Option<CallFailure>>,
}

impl Introductions {
    /// That of these credentials to a server.
    pub(super) fn of(&self, credentials: &Credentials, server: &Endpoint) -> Arc<Introduction> {
        let introduction = self.find(credentials, server);
        introduction.clients.fetch_add(1, Ordering::SeqCst);
        introduction
    }

    fn find(&self, credentials: &Credentials, server: &Endpoint) -> Arc<Introduction> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let server = server.authority();
        let is_same = |it: &&Known| it.server == server && it.credentials.is_same(credentials);
        if let Some(Known { introduction, .. }) = known.iter().find(is_same) {
            return Arc::clone(introduction);
        }
        let introduction = Arc::<Introduction>::default();
        let credentials = credentials.clone();
        known.push(Known { credentials, server, introduction: Arc::clone(&introduction) });
        introduction
    }
}

impl Introduction {
    /// Shows the credentials by a call. Where other clients would show the same, they are shown by
    /// one call alone until it is known that they are accepted, and not at all once they were
    /// refused. `call` must not use the same introduction.
    pub(super) async fn show<T>(
        &self,
        call: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<T, CallFailure> {
        // What a client alone makes of a refusal is its own business.
        let has_others = self.clients.load(Ordering::SeqCst) > 1;
        let turn = if has_others && !self.are_accepted() {
            timeout(LONGEST_WAIT, self.turn.lock()).await.ok().filter(|_| !self.are_accepted())
        } else {
            None
        };
        if let Some(failure) = self.refusal().clone().filter(|_| has_others) {
            return Err(failure);
        }
        let answer = call.await;
        match &answer {
            Err(failure) if are_refused(failure) => *self.refusal() = Some(failure.clone()),
            // Nobody has looked at them.
            Err(failure) if !matches!(failure.meaning, Meaning::Forbidden | Meaning::NotFound) => {}
            _ => self.accepted.store(true, Ordering::SeqCst),
        }
        drop(turn);
        answer
    }

    fn are_accepted(&self) -> bool {
        self.accepted.load(Ordering::SeqCst)
    }

    /// A panic while it is held cannot leave it half changed.
    fn refusal(&self) -> MutexGuard<'_, Option<CallFailure>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the credentials are what was refused, and not what was asked for with them. The gateway
/// checks signatures before anybody looks at a project; the service behind it may refuse one
/// project alone. A token is for one project anyway. IAM refuses a login with the same status where
/// only the project is wrong, and then speaks of no password.
fn are_refused(failure: &CallFailure) -> bool {
    match failure.meaning {
        Meaning::Denied => failure.code.as_ref().is_some_and(|code| code.starts_with("APIG")),
        Meaning::LoginRefused => {
            failure.message.as_ref().is_some_and(|said| said.to_lowercase().contains("password"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PlainHttp;
    use pretty_assertions::assert_eq;
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    fn credentials() -> Credentials {
        Credentials::Token("t".into())
    }

    fn server(address: &str) -> Endpoint {
        Endpoint::parse(address, PlainHttp::Anywhere).unwrap()
    }

    fn failure(meaning: Meaning, code: &str, message: &str) -> CallFailure {
        let (code, message) = (Some(code.into()), Some(message.into()));
        CallFailure { code, message, status: Some(401), ..CallFailure::new("ask", meaning) }
    }

    /// How many of so many clients come to call, side by side, where each call is answered so.
    async fn calls(clients: usize, answer: &Result<(), CallFailure>) -> usize {
        let (introductions, made) = (Introductions::default(), Arc::<AtomicUsize>::default());
        let shown: Vec<_> = (0..clients)
            .map(|_| introductions.of(&credentials(), &server("https://a.example")))
            .collect();
        let mut tasks = JoinSet::new();
        for introduction in shown {
            let (made, answer) = (Arc::clone(&made), answer.clone());
            tasks.spawn(async move {
                let call = async {
                    made.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_millis(10)).await;
                    answer.clone()
                };
                assert_eq!(introduction.show(call).await, answer);
            });
        }
        tasks.join_all().await;
        made.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_is_shown_once_by_all_clients() {
        let wrong = "The username or Password is wrong.";
        for (answer, expected) in [
            (Err(failure(Meaning::Denied, "APIGW.0301", "")), 1),
            (Err(failure(Meaning::Denied, "APIG.0301", "")), 1),
            (Err(failure(Meaning::LoginRefused, "401", wrong)), 1),
            // That may be the project.
            (Err(failure(Meaning::LoginRefused, "401", "It requires authentication.")), 5),
            (Err(failure(Meaning::Denied, "FSS.0401", "")), 5),
            (Err(failure(Meaning::TokenExpired, "APIGW.0301", "")), 5),
            (Err(failure(Meaning::Timeout, "", "")), 5),
            (Err(failure(Meaning::Forbidden, "", "")), 5),
            (Ok(()), 5),
        ] {
            assert_eq!(calls(5, &answer).await, expected, "{answer:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_hangs_keeps_no_other_client() {
        let introductions = Introductions::default();
        let of = |address: &str| introductions.of(&credentials(), &server(address));
        let (one, other, elsewhere) =
            (of("https://a.example"), of("https://a.example"), of("https://b.example"));
        let begun = Instant::now();
        let hangs = one.show(async {
            sleep(Duration::from_mins(1)).await;
            Err::<(), _>(failure(Meaning::Denied, "APIGW.0301", ""))
        });
        let goes_on = async {
            elsewhere.show(async { Ok(()) }).await.unwrap();
            assert_eq!(begun.elapsed(), Duration::ZERO);
            other.show(async { Ok(()) }).await.unwrap();
            assert_eq!(begun.elapsed(), LONGEST_WAIT);
        };
        let (hung, ()) = tokio::join!(hangs, goes_on);
        assert!(hung.is_err());
    }
}
