//! The project that is asked, where somebody names it.

use super::layers::{Layers, PROJECT_ID};
use super::origin::Setting;
use super::values::is_project;
use super::variables::{shown, usage};
use crate::error::Failure;
use std::fmt::Display;

/// The project's id that is set for the run; credentials may come with another one, which gives way
/// to it.
pub(super) fn project_that_is_set(layers: Layers<'_>) -> Result<Option<Setting<String>>, Failure> {
    let of_source = layers.source.and_then(|source| source.project_id.as_ref());
    let set = layers.text(PROJECT_ID, layers.flags.project_id.as_deref(), [of_source, None])?;
    set.map(|set| set.try_map(|id, origin| checked_project(origin, id))).transpose()
}

/// A project's id stands in paths and headers.
pub(super) fn checked_project(place: &dyn Display, id: String) -> Result<String, Failure> {
    if is_project(&id) {
        return Ok(id);
    }
    let unreadable = format!("{place}: {} is no project id", shown(&id));
    Err(usage(unreadable).hint("an id has letters, digits, `-` and `_` only"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use pretty_assertions::assert_eq;

    fn set(flag: Option<&str>, variable: Option<&str>) -> Result<Option<String>, String> {
        let env = |name: &str| {
            (name == PROJECT_ID.variables[0]).then(|| variable.map(Into::into)).flatten()
        };
        let flags = Flags { project_id: flag.map(str::to_owned), ..Flags::default() };
        let found = project_that_is_set(Layers::of(&flags, &env));
        found
            .map(|found| found.map(|it| format!("{} {}", it.value, it.origin)))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_id_is_checked_and_one_that_is_bad_is_named_by_its_origin() {
        assert_eq!(set(None, None), Ok(None));
        assert_eq!(set(Some(""), Some("")), Ok(None));
        assert_eq!(set(Some("0a-b_c"), Some("other")), Ok(Some("0a-b_c --project-id".to_owned())));
        assert_eq!(
            set(None, Some("other")),
            Ok(Some("other HUAWEICLOUD_SDK_PROJECT_ID".to_owned()))
        );
        assert_eq!(set(Some("../x"), None).unwrap_err(), "--project-id: \"../x\" is no project id");
        assert_eq!(
            set(None, Some("a b")).unwrap_err(),
            "HUAWEICLOUD_SDK_PROJECT_ID: \"a b\" is no project id"
        );
    }
}
