//! Makes requests, authenticates them with the credentials at hand, and sends them.

use super::agency::{Agency, Keys};
use super::credentials::Credentials;
use super::exchange::{Exchange, Now};
use super::failure::{CallFailure, Meaning};
use super::http::{Answer, Transport};
use super::introduction::{Introduction, Introductions};
use super::request::Call;
use super::tokens::{Token, Tokens};
use super::{Endpoint, sign};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// Who asks, where, and through which connections.
pub(super) struct Session {
    pub(super) exchange: Exchange,
    pub(super) iam: Option<Endpoint>,
    pub(super) credentials: Credentials,
    /// What became of the credentials where they were shown first.
    introduction: Arc<Introduction>,
    pub(super) tokens: Tokens,
    agency: Agency,
}

impl Session {
    /// Prepares the connections; nothing is asked yet.
    pub(super) fn new(
        functions: Endpoint,
        iam: Option<Endpoint>,
        (credentials, introductions): (Credentials, Introductions),
        transport: Transport,
        now: Now,
    ) -> Result<Self, CallFailure> {
        let exchange = Exchange::new(functions, &credentials, transport, now)?;
        let shown_to = match &credentials {
            Credentials::Password(login) => &login.auth_url,
            _ => &exchange.functions,
        };
        let introduction = introductions.of(&credentials, shown_to);
        let tokens = Tokens::new(Arc::clone(&introduction));
        let agency = Agency::default();
        Ok(Self { exchange, iam, credentials, introduction, tokens, agency })
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
        // Kept apart: whoever waits for it would be as large as all of it.
        let asked = Box::pin(self.ask(self.exchange.functions_http(), call));
        match &self.credentials {
            // The password is shown to IAM, and each token is this session's own.
            Credentials::Password(_) => asked.await,
            _ => self.introduction.show(asked).await,
        }
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
                self.sign(call, (access_key, secret_key), security_token.as_ref(), headers);
            }
            Credentials::Agency(metadata) => {
                let keys = self.agency.get(&self.exchange, metadata).await?;
                let Keys { access_key, secret_key, security_token, .. } = &*keys;
                self.sign(call, (access_key, secret_key), Some(security_token), headers);
            }
        }
        Ok(None)
    }

    fn sign(
        &self,
        call: &Call<'_>,
        (access_key, secret_key): (&str, &SecretString),
        security_token: Option<&SecretString>,
        headers: &mut Vec<(&'static str, String)>,
    ) {
        headers.push((sign::DATE_HEADER, sign::date(self.exchange.now())));
        headers.extend(call.project_id.map(|id| ("x-project-id", id.to_owned())));
        let temporary = security_token.map(|token| token.expose_secret().to_owned());
        headers.extend(temporary.map(|token| ("x-security-token", token)));
        let signature = call.signature(access_key, secret_key.expose_secret(), headers);
        headers.push(("authorization", signature));
    }
}
