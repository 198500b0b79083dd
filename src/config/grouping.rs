//! Which region and project each function of a run lies in: those of its URN, or those that are
//! set.

use super::layers::{Layers, REGION};
use super::origin::Setting;
use super::service::endpoint_that_is_set;
use super::variables::{shown, usage};
use crate::domain::FunctionRef;
use crate::error::Failure;
use std::borrow::Borrow;
use std::fmt::Display;

/// What is asked of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RegionGroup {
    /// The region's id.
    pub(super) region: String,
    /// Its functions that were named.
    pub(super) functions: Vec<FunctionRef>,
    /// Whether it is the region of what is not named by a URN: of all functions of the project, and
    /// of the project's id that is set.
    pub(super) is_default: bool,
}

/// What is asked of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProjectGroup {
    /// Its name, unique within a run: the region's, with the project's where the region has
    /// several.
    pub(super) name: String,
    /// The project's id, where it is known.
    pub(super) project_id: Option<String>,
    /// Its functions that were named.
    pub(super) functions: Vec<FunctionRef>,
    /// Whether it is the project of what is not named by a URN, so that its id is needed.
    pub(super) is_default: bool,
}

impl RegionGroup {
    /// The projects of the region that are asked, the default one first. `set` is the project that
    /// is set for the run, `all_functions` whether all functions of the default one are asked for.
    pub(super) fn by_project(
        &self,
        set: Option<&str>,
        all_functions: bool,
    ) -> Result<Vec<ProjectGroup>, Failure> {
        let Self { region, functions, is_default } = self;
        let has_names =
            functions.iter().any(|function| matches!(function, FunctionRef::Name { .. }));
        let needs_default = *is_default && (all_functions || functions.is_empty() || has_names);
        let named = projects_of_urns(functions);
        let default = set.filter(|_| needs_default);
        if needs_default && default.is_none() {
            return match &named[..] {
                // The project is looked up, and is the one that the URNs name, as far as anybody
                // can tell.
                [] | [_] => Ok(vec![ProjectGroup {
                    name: region.clone(),
                    project_id: None,
                    functions: functions.clone(),
                    is_default: true,
                }]),
                _ => Err(in_several_projects(&named).hint(
                    "set the project of what is not named by a URN: --project-id or \
                     HUAWEICLOUD_SDK_PROJECT_ID",
                )),
            };
        }
        let others = named.into_iter().filter(|project| Some(*project) != default);
        let projects: Vec<&str> = default.into_iter().chain(others).collect();
        let is_only = projects.len() == 1;
        let group = |project: &str| {
            let is_default = default == Some(project);
            let is_here = |function: &&FunctionRef| match function {
                FunctionRef::Urn(urn) => urn.project_id() == project,
                FunctionRef::Name { .. } => is_default,
            };
            ProjectGroup {
                name: if is_only { region.clone() } else { format!("{region}/{project}") },
                project_id: Some(project.to_owned()),
                functions: functions.iter().filter(is_here).cloned().collect(),
                is_default,
            }
        };
        Ok(projects.into_iter().map(group).collect())
    }
}

/// The projects that URNs name, in the order in which they come first.
fn projects_of_urns(functions: &[FunctionRef]) -> Vec<&str> {
    let mut projects: Vec<&str> = Vec::new();
    for function in functions {
        if let FunctionRef::Urn(urn) = function
            && !projects.contains(&urn.project_id())
        {
            projects.push(urn.project_id());
        }
    }
    projects
}

/// The regions that are asked, the default one first.
///
/// A URN goes to its own region, anything else to the one that is set, or to the only one that URNs
/// name. Where an address is set, all goes there.
pub(super) fn group_by_region(layers: Layers<'_>) -> Result<Vec<RegionGroup>, Failure> {
    let Layers { flags, .. } = layers;
    let set = region_that_is_set(layers)?.map(|set| set.value);
    let named = regions_of_urns(&flags.functions)?;
    if endpoint_that_is_set(layers)?.is_some() {
        let region = match (set, &named[..]) {
            (Some(region), _) => region,
            (None, [region]) => region.clone(),
            (None, []) => return Err(unknown_region()),
            (None, _) => {
                return Err(in_several_regions(&named).hint(
                    "the address that is set is that of one region: leave it out, or run once for \
                     each region",
                ));
            }
        };
        return Ok(vec![RegionGroup {
            region,
            functions: flags.functions.clone(),
            is_default: true,
        }]);
    }
    let names_by_half =
        flags.functions.iter().any(|function| matches!(function, FunctionRef::Name { .. }));
    let needs_default = flags.functions.is_empty() || flags.all_functions || names_by_half;
    let default = match (set, &named[..]) {
        (Some(region), _) => Some(region).filter(|region| needs_default || named.contains(region)),
        (None, [region]) => Some(region.clone()),
        (None, []) => return Err(unknown_region()),
        (None, _) if needs_default => {
            return Err(in_several_regions(&named).hint(
                "set the region of what is not named by a URN: --region or FGARCHIVE_REGION",
            ));
        }
        (None, _) => None,
    };
    let others = named.into_iter().filter(|region| default.as_ref() != Some(region));
    let regions: Vec<String> = default.iter().cloned().chain(others).collect();
    let is_only = regions.len() == 1;
    let group = |region: String| {
        let is_default = is_only || default.as_ref() == Some(&region);
        let is_here = |function: &&FunctionRef| match function {
            FunctionRef::Urn(urn) => urn.region() == region,
            FunctionRef::Name { .. } => is_default,
        };
        let functions = flags.functions.iter().filter(is_here).cloned().collect();
        RegionGroup { region, functions, is_default }
    };
    Ok(regions.into_iter().map(group).collect())
}

pub(super) fn region_that_is_set(layers: Layers<'_>) -> Result<Option<Setting<String>>, Failure> {
    let of_source = layers.source.and_then(|source| source.section.region.as_ref());
    let of_defaults = layers.defaults.and_then(|defaults| defaults.region.as_ref());
    let set = layers.text(REGION, layers.flags.region.as_deref(), [of_source, of_defaults])?;
    set.map(|set| set.try_map(|region, origin| checked_region(origin, region))).transpose()
}

/// The regions that URNs name, in the order in which they come first.
fn regions_of_urns(functions: &[FunctionRef]) -> Result<Vec<String>, Failure> {
    let mut regions: Vec<String> = Vec::new();
    for function in functions {
        if let FunctionRef::Urn(urn) = function
            && !regions.iter().any(|region| region == urn.region())
        {
            regions.push(checked_region(&"the functions", urn.region().to_owned())?);
        }
    }
    Ok(regions)
}

/// Refuses a region with characters other than letters, digits, `-` and `_`: it becomes part of a
/// host's name.
fn checked_region(place: &dyn Display, region: String) -> Result<String, Failure> {
    if region.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Ok(region);
    }
    Err(usage(format!("{place}: {} is no region", shown(&region)))
        .hint("write its id, such as cn-north-4"))
}

fn unknown_region() -> Failure {
    usage("the region is not known")
        .hint("give --region, set FGARCHIVE_REGION, or name a function by its URN")
}

/// The failure of a command that can ask one region only. The caller adds the hint, since what to
/// do instead depends on the command.
pub fn in_several_regions(regions: &[String]) -> Failure {
    usage(format!("the functions lie in several regions: {}", regions.join(", ")))
}

/// The same for a command that can ask one project only.
pub fn in_several_projects(projects: &[impl Borrow<str>]) -> Failure {
    usage(format!("the functions lie in several projects: {}", projects.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use pretty_assertions::assert_eq;

    const A: &str = "urn:fss:a:p:function:default:f";
    const B: &str = "urn:fss:b:p:function:default:g";

    /// The groups as `region: functions`, the default one with an asterisk; or the error.
    fn grouped(
        names: &[&str],
        flags: &Flags,
        set: &[(&str, &str)],
    ) -> Result<Vec<String>, Failure> {
        let functions: Vec<FunctionRef> = names.iter().map(|name| name.parse().unwrap()).collect();
        let env =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let groups = group_by_region(Layers::of(&Flags { functions, ..flags.clone() }, &env))?;
        let show = |group: RegionGroup| {
            let mark = if group.is_default { "*" } else { "" };
            let name = |function: &FunctionRef| match function {
                FunctionRef::Urn(urn) => urn.name().to_owned(),
                FunctionRef::Name { name, .. } => name.clone(),
            };
            let names: Vec<String> = group.functions.iter().map(name).collect();
            format!("{}{mark}: {}", group.region, names.join(" ")).trim_end().to_owned()
        };
        Ok(groups.into_iter().map(show).collect())
    }

    fn nothing() -> Flags {
        Flags::default()
    }

    fn in_region(region: &str) -> Flags {
        Flags { region: Some(region.to_owned()), ..Flags::default() }
    }

    #[test]
    fn a_urn_goes_to_its_region_and_a_name_to_the_one_that_is_set() {
        let of = |names: &[&str], set: &[(&str, &str)]| grouped(names, &nothing(), set).unwrap();
        let c = [("HUAWEICLOUD_REGION", "c")];
        assert_eq!(of(&[A], &[]), ["a*: f"]);
        assert_eq!(of(&[A, "n"], &[("HUAWEICLOUD_REGION", "")]), ["a*: f n"]);
        assert_eq!(of(&[A], &c), ["a*: f"]);
        assert_eq!(of(&[B, A, "n"], &c), ["c*: n", "b: g", "a: f"]);
        assert_eq!(of(&[A, B], &[]), ["a: f", "b: g"]);
        assert_eq!(
            of(&[A, B, "n"], &[("HUAWEICLOUD_REGION", "c"), ("FGARCHIVE_REGION", "b")]),
            ["b*: g n", "a: f"]
        );
        assert_eq!(of(&[], &c), ["c*:"]);
        let all = Flags { all_functions: true, ..in_region("d") };
        assert_eq!(grouped(&[A], &all, &c).unwrap(), ["d*:", "a: f"]);
    }

    #[test]
    fn everything_goes_to_an_address_that_is_set() {
        let at = |flags: Flags| Flags { endpoint: Some("http://127.0.0.1:1".to_owned()), ..flags };
        assert_eq!(grouped(&[A, "n"], &at(nothing()), &[]).unwrap(), ["a*: f n"]);
        assert_eq!(grouped(&[A, B, "n"], &at(in_region("c")), &[]).unwrap(), ["c*: f g n"]);
        let failure = grouped(&[B, A], &at(nothing()), &[]).unwrap_err();
        assert_eq!(failure.to_string(), "the functions lie in several regions: b, a");
        assert!(format!("{:?}", failure.hint).contains("run once for each region"));
    }

    #[test]
    fn a_region_that_is_not_known_is_a_question_to_the_user() {
        let message = |names: &[&str], flags: &Flags, set: &[(&str, &str)]| {
            let failure = grouped(names, flags, set).unwrap_err();
            assert_eq!((failure.kind.exit_code(), failure.hint.is_some()), (2, true));
            failure.to_string()
        };
        assert_eq!(message(&["n"], &nothing(), &[]), "the region is not known");
        assert_eq!(
            message(&[B, A, "n"], &nothing(), &[]),
            "the functions lie in several regions: b, a"
        );
        assert_eq!(
            message(&[], &in_region("a.example/"), &[]),
            "--region: \"a.example/\" is no region"
        );
        assert_eq!(
            message(&[], &nothing(), &[("HUAWEICLOUD_REGION", "a b")]),
            "HUAWEICLOUD_REGION: \"a b\" is no region"
        );
        let odd = "urn:fss:a.example:p:function:default:f";
        assert_eq!(message(&[odd], &nothing(), &[]), "the functions: \"a.example\" is no region");
    }

    const P: &str = "urn:fss:a:p:function:default:f";
    const Q: &str = "urn:fss:a:q:function:default:g";

    /// The groups of region `a` as `name project functions`, the default one with an asterisk; or
    /// the error.
    fn by_project(
        names: &[&str],
        set: Option<&str>,
        all_functions: bool,
    ) -> Result<Vec<String>, String> {
        let functions = names.iter().map(|name| name.parse().unwrap()).collect();
        let region = RegionGroup { region: "a".to_owned(), functions, is_default: true };
        let show = |group: ProjectGroup| {
            let (mark, project) =
                (if group.is_default { "*" } else { "" }, group.project_id.unwrap_or_default());
            format!("{}{mark} {project} {}", group.name, group.functions.len())
        };
        let groups = region.by_project(set, all_functions).map_err(|failure| {
            assert!(failure.hint.is_some());
            failure.to_string()
        })?;
        Ok(groups.into_iter().map(show).collect())
    }

    #[test]
    fn each_project_of_a_region_is_a_source_of_its_own() {
        let of = |names: &[&str], set| by_project(names, set, false).unwrap();
        assert_eq!(of(&[P], None), ["a p 1"]);
        assert_eq!(of(&[P], Some("r")), ["a p 1"]);
        assert_eq!(of(&[P, Q, P], None), ["a/p p 2", "a/q q 1"]);
        assert_eq!(of(&["n"], Some("r")), ["a* r 1"]);
        assert_eq!(of(&[], Some("r")), ["a* r 0"]);
        assert_eq!(of(&[P, Q, "n"], Some("q")), ["a/q* q 2", "a/p p 1"]);
        assert_eq!(of(&[P, "n"], Some("r")), ["a/r* r 1", "a/p p 1"]);
        assert_eq!(by_project(&[P], Some("r"), true).unwrap(), ["a/r* r 0", "a/p p 1"]);
    }

    #[test]
    fn a_project_that_is_looked_up_is_the_only_one_of_its_region() {
        assert_eq!(by_project(&["n"], None, false).unwrap(), ["a*  1"]);
        assert_eq!(by_project(&[P, "n"], None, false).unwrap(), ["a*  2"]);
        assert_eq!(by_project(&[P], None, true).unwrap(), ["a*  1"]);
        let refused = by_project(&[Q, P, "n"], None, false).unwrap_err();
        assert_eq!(refused, "the functions lie in several projects: q, p");
    }
}
