//! The part of IAM that a client of FunctionGraph needs: a token for a password, and the project of
//! a region (OpenStack Keystone's v3, as the vendor documents it).

use super::auth::{Access, DOMAIN, PASSWORD, Refusal, USER};
use super::query::Parameters;
use super::wire::{Answer, Asked};
use super::world::{PROJECT_ID, REGION};
use crate::domain::Timestamp;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

/// The account's id.
const DOMAIN_ID: &str = "d78cbac186b744899480f25bd022f468";

#[derive(Debug, Deserialize)]
struct TokenRequest {
    auth: Auth,
}

#[derive(Debug, Deserialize)]
struct Auth {
    identity: Identity,
    scope: Option<Scope>,
}

#[derive(Debug, Deserialize)]
struct Identity {
    methods: Vec<String>,
    password: Option<Password>,
}

#[derive(Debug, Deserialize)]
struct Password {
    user: User,
}

#[derive(Deserialize)]
struct User {
    name: String,
    password: String,
    domain: Domain,
}

/// Without the password.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct Domain {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Scope {
    project: Option<Project>,
}

#[derive(Debug, Deserialize)]
struct Project {
    id: Option<String>,
    name: Option<String>,
}

impl Identity {
    fn is_known(&self) -> bool {
        self.methods.iter().any(|method| method == "password")
            && self.password.as_ref().is_some_and(|Password { user }| {
                (user.name.as_str(), user.password.as_str(), user.domain.name.as_str())
                    == (USER, PASSWORD, DOMAIN)
            })
    }
}

impl Project {
    fn is_known(&self) -> bool {
        let named = [(&self.id, PROJECT_ID), (&self.name, REGION)];
        let given = named.iter().filter_map(|(given, known)| Some(given.as_deref()? == *known));
        self.id.is_some() | self.name.is_some() && given.into_iter().all(|known| known)
    }
}

/// `POST /v3/auth/tokens`. Without a project the token is for none, and of no use here.
pub(super) fn issue_token(asked: &Asked, access: &mut Access, now: Timestamp) -> Answer {
    let Ok(TokenRequest { auth }) = serde_json::from_slice(&asked.body) else {
        return refuse(400, "The request body is invalid");
    };
    if !auth.identity.is_known() {
        return refuse(401, "The username or password is wrong.");
    }
    let project = auth.scope.and_then(|scope| scope.project);
    if project.as_ref().is_some_and(|project| !project.is_known()) {
        return refuse(401, "The project does not exist.");
    }
    let (token, expires) = access.issue(project.is_some(), now);
    let domain = json!({ "id": DOMAIN_ID, "name": DOMAIN });
    let mut body = json!({ "token": {
        "methods": ["password"],
        "issued_at": micros(now),
        "expires_at": micros(expires),
        "user": {
            "domain": domain, "id": "7116d09f88fa41908676fdd4b039e95b",
            "name": USER, "password_expires_at": "",
        },
        "roles": [{ "id": "0", "name": "functiongraph_adm" }],
        "catalog": [],
    } });
    if project.is_some() {
        body["token"]["project"] = json!({ "id": PROJECT_ID, "name": REGION, "domain": domain });
    }
    Answer::of(201, &body).with("X-Subject-Token", token)
}

/// `GET /v3/projects?name=REGION`.
pub(super) fn projects(parameters: &Parameters) -> Answer {
    let named = parameters.get("name").is_none_or(|name| name == REGION);
    let project = json!({
        "id": PROJECT_ID, "name": REGION, "domain_id": DOMAIN_ID, "parent_id": DOMAIN_ID,
        "enabled": true, "is_domain": false, "description": "",
        "links": { "self": format!("https://iam.myhuaweicloud.com/v3/projects/{PROJECT_ID}") },
    });
    let projects = if named { vec![project] } else { vec![] };
    Answer::of(
        200,
        &json!({
            "projects": projects,
            "links": { "self": "https://iam.myhuaweicloud.com/v3/projects" },
        }),
    )
}

/// IAM's own form of an error, its title the status's name.
pub(super) fn refuse(status: u16, message: &str) -> Answer {
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    Answer::of(status, &json!({ "error": { "code": status, "message": message, "title": title } }))
}

/// How IAM turns away who may not ask it.
pub(super) fn turn_away(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Unscoped => refuse(403, "You are not authorized to perform the requested action."),
        Refusal::Expired => refuse(401, "The token must be updated."),
        _ => refuse(401, "The request you have made requires authentication."),
    }
}

/// As IAM writes a moment.
fn micros(moment: Timestamp) -> String {
    format!("{}.000000Z", moment.to_wire())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, Method};
    use serde_json::Value;

    fn request(password: &str, scope: &Value) -> Value {
        let user = json!({ "name": USER, "password": password, "domain": { "name": DOMAIN } });
        json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": user } },
            "scope": scope,
        } })
    }

    fn issue(body: &Value) -> Answer {
        let asked = Asked {
            method: Method::POST,
            path: "/v3/auth/tokens".to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: body.to_string().into(),
        };
        issue_token(&asked, &mut Access::default(), Timestamp::from_unix(1_550_040_733))
    }

    #[test]
    fn a_password_gives_a_token_for_a_day() {
        for project in [json!({ "name": REGION }), json!({ "id": PROJECT_ID })] {
            let answer = issue(&request(PASSWORD, &json!({ "project": project })));
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(answer.status, 201);
            assert_eq!(answer.headers, [("X-Subject-Token", "emulator-token-1".to_owned())]);
            assert_eq!(body["token"]["expires_at"], "2019-02-14T06:52:13.000000Z");
            assert_eq!(body["token"]["project"]["id"], PROJECT_ID);
        }
        let global: Value =
            serde_json::from_slice(&issue(&request(PASSWORD, &Value::Null)).body).unwrap();
        assert_eq!(global["token"].get("project"), None);
    }

    #[test]
    fn a_wrong_password_or_project_gives_none() {
        let there = json!({ "project": { "name": REGION } });
        assert_eq!(issue(&request("wrong", &there)).status, 401);
        for project in
            [json!({ "name": "elsewhere" }), json!({}), json!({ "name": REGION, "id": "other" })]
        {
            assert_eq!(issue(&request(PASSWORD, &json!({ "project": project }))).status, 401);
        }
        assert_eq!(issue(&json!({ "auth": {} })).status, 400);
    }

    #[test]
    fn a_region_has_one_project_or_none() {
        let count = |query| {
            let body: Value =
                serde_json::from_slice(&projects(&Parameters::parse(query)).body).unwrap();
            body["projects"].as_array().unwrap().len()
        };
        assert_eq!((count("name=cn-north-4"), count("name=cn-north-1")), (1, 0));
    }
}
