//! Makes requests, authenticates them with the credentials at hand, and sends them.

use super::credentials::Credentials;
use super::exchange::{Exchange, Now};
use super::failure::{CallFailure, Meaning};
use super::http::{Answer, Transport};
use super::request::Call;
use super::tokens::{Token, Tokens};
use super::{Endpoint, sign};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// Who asks, where, and through which connections.
pub(super) struct Session {
    pub(super) exchange: Exchange,
    pub(super) iam: Option<Endpoint>,
    pub(super) credentials: Credentials,
    pub(super) tokens: Tokens,
}

impl Session {
    /// Prepares the connections; nothing is asked yet.
    pub(super) fn new(
        functions: Endpoint,
        iam: Option<Endpoint>,
        credentials: Credentials,
        transport: Transport,
        now: Now,
    ) -> Result<Self, CallFailure> {
        let exchange = Exchange::new(functions, &credentials, transport, now)?;
        Ok(Self { exchange, iam, credentials, tokens: Tokens::default() })
    }

    /// Asks FunctionGraph about a project.
    pub(super) async fn get_functions(
        &self,
        operation: &str,
        project_id: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, CallFailure> {
        let call =
            Call::get(operation, &self.exchange.functions, path, query).of_project(project_id);
        self.ask(self.exchange.functions_http(), call).await
    }

    /// Asks IAM as the user we are; its calls are about no project.
    pub(super) async fn get_iam(
        &self,
        operation: &str,
        iam: &Endpoint,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, CallFailure> {
        let http = self.exchange.http_for(iam)?;
        self.ask(&http, Call::get(operation, iam, path, query)).await
    }

    /// Asks with credentials.
    async fn ask(&self, http: &reqwest::Client, call: Call<'_>) -> Result<Answer, CallFailure> {
        let mut headers = call.headers();
        let token = self.authenticate(&call, &mut headers).await?;
        let answer = self.exchange.send(http, call, &headers).await;
        if let (Err(CallFailure { meaning: Meaning::TokenExpired, .. }), Some(token)) =
            (&answer, token)
        {
            self.tokens.refuse(token.generation);
        }
        answer
    }

    /// Authenticates a request. Returns the token where it is one that was issued to this session.
    async fn authenticate(
        &self,
        call: &Call<'_>,
        headers: &mut Vec<(&'static str, String)>,
    ) -> Result<Option<Arc<Token>>, CallFailure> {
        match &self.credentials {
            Credentials::Token(token) => {
                headers.push(("x-auth-token", token.expose_secret().to_owned()));
            }
            Credentials::Password(login) => {
                let token = self.tokens.get(&self.exchange, login).await?;
                headers.push(("x-auth-token", token.secret.expose_secret().to_owned()));
                return Ok(Some(token));
            }
            Credentials::Unusable(why) => {
                let failure = CallFailure::new("log in", Meaning::Misconfigured);
                return Err(CallFailure { cause: Some(why.clone()), ..failure });
            }
            Credentials::Keys { access_key, secret_key, security_token } => {
                headers.push((sign::DATE_HEADER, sign::date(self.exchange.now())));
                headers.extend(call.project_id.map(|id| ("x-project-id", id.to_owned())));
                let temporary =
                    security_token.as_ref().map(|token| token.expose_secret().to_owned());
                headers.extend(temporary.map(|token| ("x-security-token", token)));
                headers.push((
                    "authorization",
                    call.signature(access_key, secret_key.expose_secret(), headers),
                ));
            }
        }
        Ok(None)
    }
}
