//! The project of a region, as IAM tells it (OpenStack Keystone's v3 protocol).
//!
//! Each region has a project of its name. Others that a user makes there are called
//! `REGION_NAME` (the vendor's page "querying project information").

use super::failure::{CallFailure, Meaning};
use super::session::Session;
use super::wire::{self, NamedProject, ProjectsPage};
use reqwest::Url;

/// The most pages of projects that are read: an account has some ten projects a region.
const MOST_PAGES: usize = 20;

/// The most projects that an error names.
const MOST_NAMED: usize = 5;

/// Looks up the project of a region: the one of its name that is not switched off.
pub(super) async fn find_project(session: &Session, region: &str) -> Result<String, CallFailure> {
    let operation = format!("find the project of the region `{region}`");
    let (projects, is_whole) = list_projects(session, &operation, region).await?;
    choose(&projects, region).map_err(|why| {
        let cut = if is_whole { String::new() } else { of_cut_list(projects.len()) };
        no_project(&operation, &format!("{why}{cut}"))
    })
}

/// What an error adds where the list was not followed to its end.
fn of_cut_list(seen: usize) -> String {
    format!(
        "; its list of projects goes on after {MOST_PAGES} pages with {seen} of them, and is not \
         followed any further"
    )
}

/// The projects that IAM shows for a region's name, and whether its list came to an end.
async fn list_projects(
    session: &Session,
    operation: &str,
    region: &str,
) -> Result<(Vec<NamedProject>, bool), CallFailure> {
    let unnamed = || {
        no_project(
            operation,
            "no IAM is named for this service, and credentials are sent to no other",
        )
    };
    let iam = session.iam.as_ref().ok_or_else(unnamed)?;
    let path = iam.v3_path("projects");
    let mut query = vec![("name".to_owned(), region.to_owned())];
    let mut found: Vec<NamedProject> = Vec::new();
    for _ in 0..MOST_PAGES {
        let pairs: Vec<(&str, &str)> =
            query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = session.get_iam(operation, iam, &path, &pairs).await?;
        let page = wire::decode_projects(&answer.content())
            .map_err(|problem| answer.bad_body(operation, problem))?;
        let ProjectsPage { projects, next } = page;
        let is_new = |project: &NamedProject| !found.iter().any(|known| known.id == project.id);
        let new: Vec<NamedProject> = projects.into_iter().filter(is_new).collect();
        let next = next.and_then(|next| query_of(&next)).filter(|_| !new.is_empty());
        found.extend(new);
        match next {
            Some(next) => query = next,
            None => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

/// The query of the address at which the list goes on. Of the address nothing else is taken:
/// credentials go to the IAM that was named, and nowhere else.
fn query_of(next: &str) -> Option<Vec<(String, String)>> {
    let (_, query) = next.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let address = Url::parse(&format!("https://iam.invalid/?{query}")).ok()?;
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    (!pairs.is_empty()).then_some(pairs)
}

/// The one project that is meant. One without a name is taken for what was asked for; the reason
/// why there is none names those that came.
fn choose(projects: &[NamedProject], region: &str) -> Result<String, String> {
    let is_meant = |project: &&NamedProject| {
        project.is_enabled && project.name.as_deref().is_none_or(|name| name == region)
    };
    match projects.iter().filter(is_meant).collect::<Vec<_>>()[..] {
        [project] => Ok(project.id.clone()),
        [] if projects.is_empty() => Err("IAM knows none that we may see".to_owned()),
        [] => Err(format!("IAM names {}, and none that is meant", listed(projects.iter()))),
        ref several => Err(format!("IAM names several: {}", listed(several.iter().copied()))),
    }
}

fn listed<'a>(projects: impl ExactSizeIterator<Item = &'a NamedProject>) -> String {
    let more = projects.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<String> = projects
        .take(MOST_NAMED)
        .map(|NamedProject { id, name, is_enabled }| {
            let name = name.as_deref().unwrap_or("without a name");
            format!("{id} ({name}{})", if *is_enabled { "" } else { ", switched off" })
        })
        .collect();
    named.extend((more > 0).then(|| format!("{more} more")));
    named.join(", ")
}

pub(super) fn no_project(operation: &str, why: &str) -> CallFailure {
    CallFailure::new(operation, Meaning::UnknownProject).because(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn project(id: &str, name: &str, is_enabled: bool) -> NamedProject {
        let name = (!name.is_empty()).then(|| name.to_owned());
        NamedProject { id: id.to_owned(), name, is_enabled }
    }

    #[test]
    fn the_project_of_the_regions_name_is_taken_and_no_other() {
        let chosen = |projects: &[NamedProject]| choose(projects, "r");
        assert_eq!(chosen(&[project("a", "r", true)]), Ok("a".to_owned()));
        assert_eq!(chosen(&[project("a", "", true)]), Ok("a".to_owned()));
        let several = [
            project("a", "r_shop", true),
            project("b", "r", true),
            project("c", "r", false),
            project("d", "MOS", true),
        ];
        assert_eq!(chosen(&several), Ok("b".to_owned()));
        assert_eq!(chosen(&[]).unwrap_err(), "IAM knows none that we may see");
        assert_eq!(
            chosen(&[project("a", "r_shop", true), project("b", "r", false)]).unwrap_err(),
            "IAM names a (r_shop), b (r, switched off), and none that is meant"
        );
        assert_eq!(
            chosen(&[project("a", "r", true), project("b", "", true)]).unwrap_err(),
            "IAM names several: a (r), b (without a name)"
        );
        let many: Vec<NamedProject> =
            (0..9).map(|number| project(&number.to_string(), "r", true)).collect();
        assert!(chosen(&many).unwrap_err().ends_with("4 (r), 4 more"));
    }

    #[test]
    fn of_the_address_of_the_next_page_only_the_query_is_taken() {
        let query = query_of("https://elsewhere.example/x?name=r&marker=a%20b").unwrap();
        assert_eq!(
            query,
            [("name".to_owned(), "r".to_owned()), ("marker".to_owned(), "a b".to_owned())]
        );
        let relative = query_of("/v3/projects?marker=1#x").unwrap();
        assert_eq!(relative, [("marker".to_owned(), "1".to_owned())]);
        for none in ["", "null", "https://iam.example/v3/projects", "/v3/projects?"] {
            assert_eq!(query_of(none), None, "{none}");
        }
    }
}
