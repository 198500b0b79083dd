//! Tokens of a password login, fetched from IAM (OpenStack Keystone's v3 protocol).

use super::credentials::{PasswordLogin, ProjectScope};
use super::exchange::Exchange;
use super::failure::{CallFailure, Meaning};
use super::introduction::Introduction;
use super::wire::{self, BadBody};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// The header in which a new token comes.
const TOKEN_HEADER: &str = "x-subject-token";

/// A token, and how many were fetched before it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) project_id: Option<String>,
    pub(super) generation: u64,
}

/// The token of a password login: fetched when it is first needed, by one caller for all.
#[derive(Debug)]
pub(super) struct Tokens {
    introduction: Arc<Introduction>,
    held: Mutex<Held>,
    /// One more than the generation of the newest token the service did not accept; 0 for none.
    refused: AtomicU64,
}

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    Token(Arc<Token>),
    /// IAM refused the login. It is not tried again: some wrong passwords lock the user.
    Denied(CallFailure),
}

impl Tokens {
    /// None yet, of a login that others may have shown.
    pub(super) fn new(introduction: Arc<Introduction>) -> Self {
        Self { introduction, held: Mutex::default(), refused: AtomicU64::default() }
    }

    /// Notes that the service did not accept a token.
    pub(super) fn refuse(&self, generation: u64) {
        self.refused.fetch_max(generation + 1, Ordering::SeqCst);
    }

    /// The token at hand, fetching the first.
    pub(super) async fn get(
        &self,
        exchange: &Exchange,
        login: &PasswordLogin,
    ) -> Result<Arc<Token>, CallFailure> {
        self.get_from(exchange, login, 0).await
    }

    /// A token that the service has not refused; callers who saw the same refusal share one new
    /// token.
    pub(super) async fn renew(
        &self,
        exchange: &Exchange,
        login: &PasswordLogin,
    ) -> Result<Arc<Token>, CallFailure> {
        self.get_from(exchange, login, self.refused.load(Ordering::SeqCst)).await
    }

    async fn get_from(
        &self,
        exchange: &Exchange,
        login: &PasswordLogin,
        least: u64,
    ) -> Result<Arc<Token>, CallFailure> {
        let mut held = self.held.lock().await;
        let generation = match &*held {
            Held::Nothing => 0,
            Held::Token(token) if token.generation >= least => return Ok(Arc::clone(token)),
            Held::Token(token) => token.generation + 1,
            Held::Denied(failure) => return Err(failure.clone()),
        };
        let fetched = Box::pin(fetch_token(exchange, login, generation));
        match self.introduction.show(fetched).await {
            Ok(token) => {
                let token = Arc::new(token);
                *held = Held::Token(Arc::clone(&token));
                Ok(token)
            }
            Err(failure) => {
                if failure.is_denied() {
                    *held = Held::Denied(failure.clone());
                }
                Err(failure)
            }
        }
    }
}

async fn fetch_token(
    exchange: &Exchange,
    login: &PasswordLogin,
    generation: u64,
) -> Result<Token, CallFailure> {
    let operation = format!("fetch a token for the user `{}`", login.username);
    let body = token_request(login).to_string().into_bytes();
    let path = login.auth_url.v3_path("auth/tokens");
    let mut answer = exchange.post_login(&operation, &login.auth_url, &path, body).await?;
    let Some(secret) =
        answer.header(TOKEN_HEADER).filter(|token| !token.is_empty()).map(SecretString::from)
    else {
        return Err(answer
            .failure(&operation, Meaning::BrokenAnswer)
            .because("the answer holds no token"));
    };
    exchange.secrets.learn(&secret);
    answer.redactor = exchange.secrets.redactor();
    // Without a body that can be read the token is as good; the project may be known from
    // elsewhere. A body that carries an error speaks against it.
    let project_id = match wire::decode_token_project(&answer.content()) {
        Err(problem @ BadBody::Error) => return Err(answer.bad_body(&operation, problem)),
        read => read.unwrap_or_default(),
    };
    Ok(Token { secret, project_id, generation })
}

fn token_request(login: &PasswordLogin) -> Value {
    let project = match &login.project {
        ProjectScope::Id(id) => json!({ "id": id }),
        ProjectScope::Name { name, domain: None } => json!({ "name": name }),
        ProjectScope::Name { name, domain: Some(domain) } => {
            json!({ "name": name, "domain": { "name": domain } })
        }
    };
    let user = json!({
        "name": login.username,
        "password": login.password.expose_secret(),
        "domain": { "name": login.user_domain_name },
    });
    json!({ "auth": {
        "identity": { "methods": ["password"], "password": { "user": user } },
        "scope": { "project": project },
    } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Endpoint, PlainHttp};
    use pretty_assertions::assert_eq;

    fn login(project: ProjectScope) -> PasswordLogin {
        PasswordLogin {
            auth_url: Endpoint::parse("https://iam.example/v3/", PlainHttp::LoopbackOnly).unwrap(),
            username: "u".to_owned(),
            password: SecretString::from("s"),
            user_domain_name: "d".to_owned(),
            project,
        }
    }

    /// The body of the vendor's page "obtaining a user token by password".
    #[test]
    fn asks_for_a_token_the_way_keystone_expects() {
        let body = |project| token_request(&login(project));
        let scope = |body: &Value| body["auth"]["scope"].clone();
        let by_name = body(ProjectScope::Name { name: "cn-north-4".to_owned(), domain: None });
        assert_eq!(
            by_name["auth"]["identity"],
            json!({"methods": ["password"], "password": {"user": {
                "name": "u", "password": "s", "domain": {"name": "d"},
            }}})
        );
        assert_eq!(scope(&by_name), json!({"project": {"name": "cn-north-4"}}));
        assert_eq!(scope(&body(ProjectScope::Id("p".to_owned()))), json!({"project": {"id": "p"}}));
        let with_domain = ProjectScope::Name { name: "n".to_owned(), domain: Some("e".to_owned()) };
        assert_eq!(
            scope(&body(with_domain)),
            json!({"project": {"name": "n", "domain": {"name": "e"}}})
        );
    }
}
