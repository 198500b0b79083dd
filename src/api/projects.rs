//! The project of a region, as IAM tells it (OpenStack Keystone's v3 protocol).

use super::failure::{CallFailure, Meaning};
use super::session::Session;
use super::wire;

/// Looks up the one project of a region.
pub(super) async fn find_project(session: &Session, region: &str) -> Result<String, CallFailure> {
    let operation = format!("find the project of the region `{region}`");
    let unnamed = || {
        no_project(
            &operation,
            "no IAM is named for this service, and credentials are sent to no other",
        )
    };
    let iam = session.iam.as_ref().ok_or_else(unnamed)?;
    let path = iam.v3_path("projects");
    let answer = session.get_iam(&operation, iam, &path, &[("name", region)]).await?;
    let found = wire::decode_projects(&answer.content())
        .map_err(|problem| answer.bad_body(&operation, problem))?;
    match <[String; 1]>::try_from(found) {
        Ok([id]) => Ok(id),
        Err(other) => {
            Err(no_project(&operation, &format!("it has {} projects instead of one", other.len())))
        }
    }
}

pub(super) fn no_project(operation: &str, why: &str) -> CallFailure {
    CallFailure::new(operation, Meaning::UnknownProject).because(why)
}
