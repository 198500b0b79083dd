//! What is asked, by path: the paths of the vendor's API and of IAM.

use super::auth::decoded;
use axum::http::Method;
use serde::Deserialize;

/// The kinds of requests, for counting them and for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteName {
    /// `GET /v2/{project_id}/fgs/functions`
    Functions,
    /// `GET /v2/{project_id}/fgs/functions/{urn}/async-invocations`
    Invocations,
    /// `GET /v2/{project_id}/fgs/functions/{urn}/active-async-invocations`
    ActiveInvocations,
    /// `GET /v2/{project_id}/fgs/functions/{urn}/async-invoke-config`
    AsyncConfig,
    /// `POST /v3/auth/tokens`
    Tokens,
    /// `GET /v3/projects`
    Projects,
    /// Anything else.
    Unknown,
}

impl RouteName {
    /// Whether IAM answers, in its own form, and not FunctionGraph behind its gateway.
    pub(super) fn is_iam(self) -> bool {
        matches!(self, Self::Tokens | Self::Projects)
    }

    /// The header in which an answer carries its request's id.
    pub(super) fn id_header(self) -> &'static str {
        if self.is_iam() { "X-IAM-Trace-Id" } else { "X-Request-Id" }
    }
}

/// A request's place in the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) name: RouteName,
    /// The project in the path.
    pub(super) project: String,
    /// The function in the path, decoded.
    pub(super) function: String,
}

impl Route {
    /// Where a path leads.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let segments: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (name, project, function) = match (method.as_str(), &segments[..]) {
            ("GET", ["v2", project, "fgs", "functions"]) => (RouteName::Functions, *project, ""),
            ("GET", ["v2", project, "fgs", "functions", function, last]) => {
                (function_route(last), *project, *function)
            }
            ("POST", ["v3", "auth", "tokens"]) => (RouteName::Tokens, "", ""),
            ("GET", ["v3", "projects"]) => (RouteName::Projects, "", ""),
            _ => (RouteName::Unknown, "", ""),
        };
        Self { name, project: project.to_owned(), function: function.to_owned() }
    }
}

fn function_route(last: &str) -> RouteName {
    match last {
        "async-invocations" => RouteName::Invocations,
        "active-async-invocations" => RouteName::ActiveInvocations,
        "async-invoke-config" => RouteName::AsyncConfig,
        _ => RouteName::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_lead_to_the_same_function_encoded_or_not() {
        let urn = "urn:fss:cn-north-4:0123:function:default:report:!live";
        for function in [urn.to_owned(), urn.replace(':', "%3A").replace('!', "%21")] {
            let route = Route::of(
                &Method::GET,
                &format!("/v2/0123/fgs/functions/{function}/async-invocations"),
            );
            let expected = Route {
                name: RouteName::Invocations,
                project: "0123".to_owned(),
                function: urn.to_owned(),
            };
            assert_eq!(route, expected);
        }
    }

    #[test]
    fn every_path_has_its_name() {
        for (method, path, name) in [
            (Method::GET, "/v2/p/fgs/functions", RouteName::Functions),
            (
                Method::GET,
                "/v2/p/fgs/functions/f/active-async-invocations",
                RouteName::ActiveInvocations,
            ),
            (Method::GET, "/v2/p/fgs/functions/f/async-invoke-config", RouteName::AsyncConfig),
            (Method::POST, "/v3/auth/tokens", RouteName::Tokens),
            (Method::GET, "/v3/projects", RouteName::Projects),
            (Method::PUT, "/v2/p/fgs/functions", RouteName::Unknown),
            (Method::GET, "/v2/p/fgs/functions/f", RouteName::Unknown),
            (Method::GET, "/", RouteName::Unknown),
            (Method::GET, "", RouteName::Unknown),
        ] {
            assert_eq!(Route::of(&method, path).name, name, "{method} {path}");
        }
    }
}
