//! A call on its way to be a request.

use super::failure::{Asked, CallFailure, Meaning};
use super::http::Outgoing;
use super::{Endpoint, sign};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;

/// The header that shows a session to the metadata of a server.
pub(super) const SESSION_OF_METADATA: &str = "x-metadata-token";

/// Headers whose values are kept out of all output.
const SECRET_HEADERS: [&str; 4] =
    ["authorization", "x-auth-token", "x-security-token", SESSION_OF_METADATA];

/// One call before it is authenticated.
pub(super) struct Call<'a> {
    pub(super) operation: &'a str,
    asked: Asked,
    method: Method,
    pub(super) endpoint: &'a Endpoint,
    path: &'a str,
    query: String,
    /// The project that signed calls name in a header.
    pub(super) project_id: Option<&'a str>,
    body: Vec<u8>,
}

impl<'a> Call<'a> {
    pub(super) fn get(
        operation: &'a str,
        endpoint: &'a Endpoint,
        path: &'a str,
        query: &[(&str, &str)],
    ) -> Self {
        let query = sign::encode_query(query);
        Self {
            operation,
            asked: Asked::Iam,
            method: Method::GET,
            endpoint,
            path,
            query,
            project_id: None,
            body: Vec::new(),
        }
    }

    /// A call with a body.
    pub(super) fn post(
        operation: &'a str,
        endpoint: &'a Endpoint,
        path: &'a str,
        body: Vec<u8>,
    ) -> Self {
        Self { method: Method::POST, body, ..Self::get(operation, endpoint, path, &[]) }
    }

    /// A call that makes something, without a body.
    pub(super) fn put(operation: &'a str, endpoint: &'a Endpoint, path: &'a str) -> Self {
        Self { method: Method::PUT, ..Self::get(operation, endpoint, path, &[]) }
    }

    /// The same of the server's metadata.
    pub(super) fn of_metadata(self) -> Self {
        Self { asked: Asked::Metadata, ..self }
    }

    /// The same about a project of FunctionGraph; IAM's calls are about none.
    pub(super) fn of_project(self, project_id: &'a str) -> Self {
        Self { asked: Asked::FunctionGraph, project_id: Some(project_id), ..self }
    }

    /// What every call carries. The service's page wants a content type even where there is no
    /// content.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("host", self.endpoint.host()), ("content-type", "application/json".to_owned())]
    }

    /// Signs all the headers we set, and none that the transport adds.
    pub(super) fn signature(
        &self,
        access_key: &str,
        secret_key: &str,
        headers: &[(&'static str, String)],
    ) -> String {
        let url = self.endpoint.url(self.path, &self.query);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (method, query) = (self.method.as_str(), self.query.as_str());
        let request =
            sign::Unsigned { method, path: url.path(), query, headers: &headers, body: &self.body };
        sign::authorization(access_key, secret_key, &request)
    }

    /// The request with these headers, all of which [`Self::headers`] or the session chose.
    pub(super) fn outgoing(
        self,
        headers: &[(&'static str, String)],
    ) -> Result<Outgoing, CallFailure> {
        let url = self.endpoint.url(self.path, &self.query);
        let signature =
            headers.iter().find_map(|(name, value)| (*name == "authorization").then_some(value));
        let signature = signature
            .and_then(|value| value.rsplit_once('='))
            .map(|(_, value)| SecretString::from(value));
        let headers = header_map(self.operation, headers)?;
        Ok(Outgoing {
            asked: self.asked,
            method: self.method,
            url,
            headers,
            body: self.body,
            signature,
        })
    }
}

fn header_map(
    operation: &str,
    headers: &[(&'static str, String)],
) -> Result<HeaderMap, CallFailure> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let unfit = |_| {
            let cause = format!(
                "the value for the header {name} holds characters that no header can carry"
            );
            CallFailure::new(operation, Meaning::Misconfigured).because(cause)
        };
        let mut value = HeaderValue::from_str(value).map_err(unfit)?;
        value.set_sensitive(SECRET_HEADERS.contains(name));
        map.insert(HeaderName::from_static(name), value);
    }
    Ok(map)
}
