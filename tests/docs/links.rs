//! Links and anchors lead somewhere, between the pages and to files of this repository.

use crate::page::{Page, markdown_files, page, pages, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// All pages for people, also those that are not run.
fn all_pages() -> Vec<Page> {
    let mut places = markdown_files("");
    places.extend(markdown_files("docs"));
    places.extend(markdown_files("docs/decisions"));
    places.iter().map(|place| page(place)).collect()
}

/// The name that GitHub gives a heading; of equal ones, the later are numbered.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for heading in page.headings() {
        let slug = slug(&heading);
        let times = seen.entry(slug.clone()).or_default();
        anchors.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors
}

/// What GitHub makes of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|kept| kept.is_alphanumeric() || ['-', '_'].contains(kept)).collect()
}

/// A link to one of two headings of the same name would lead to the wrong one.
#[test]
fn no_two_headings_of_a_page_are_called_alike() {
    for page in pages() {
        let headings = page.headings();
        let slugs: BTreeSet<String> = headings.iter().map(|heading| slug(heading)).collect();
        assert_eq!(slugs.len(), headings.len(), "{}: {headings:?}", page.place);
    }
}

/// Where the links of a page lead.
fn targets(page: &Page) -> Vec<String> {
    let prose = page.prose();
    prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()).collect()
}

/// The place that a link on a page means, without `.` and `..`; none where it leaves the
/// repository.
fn resolve(from: &Page, link: &str) -> Option<PathBuf> {
    let mut place = Path::new(&from.place).parent().unwrap().to_path_buf();
    for part in Path::new(link).components() {
        match part {
            Component::Normal(name) => place.push(name),
            Component::CurDir => {}
            Component::ParentDir if place.pop() => {}
            _ => return None,
        }
    }
    Some(place)
}

/// What is wrong with a link; nothing where it leads somewhere.
fn fault(page: &Page, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let place =
        if path.is_empty() { Some(PathBuf::from(&page.place)) } else { resolve(page, path) };
    let wrong = |what: &str| Some(format!("{}: {target}: {what}", page.place));
    let Some(place) = place else { return wrong("it leads out of the repository") };
    if !root().join(&place).exists() {
        return wrong("there is no such file");
    }
    if anchor.is_empty() {
        return None;
    }
    let leads_to = crate::page::page(place.to_str().unwrap());
    if anchors(&leads_to).contains(anchor) { None } else { wrong("there is no such heading") }
}

#[test]
fn every_link_into_this_repository_leads_somewhere() {
    let mut checked = 0;
    let mut faults = Vec::new();
    for page in all_pages() {
        for target in targets(&page) {
            checked += 1;
            faults.extend(fault(&page, &target));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(checked > 80, "{checked} links are fewer than there were");
}

/// Who begins with README.md finds every page.
#[test]
fn readme_leads_to_every_page() {
    let readme = page("README.md");
    let linked: BTreeSet<String> = targets(&readme)
        .iter()
        .map(|target| target.split('#').next().unwrap().to_owned())
        .collect();
    for page in pages().iter().skip(1) {
        assert!(linked.contains(&page.place), "README.md does not link {}", page.place);
    }
}

/// Each kind of dead link is found.
#[test]
fn dead_links_are_found() {
    let at = |place: &str| Page { place: place.to_owned(), text: String::new() };
    for (from, target) in [
        ("README.md", "docs/no-such-page.md"),
        ("README.md", "#no-such-heading"),
        ("README.md", "docs/archive.md#no-such-heading"),
        ("docs/archive.md", "README.md"),
        ("docs/archive.md", "../../README.md"),
    ] {
        assert!(fault(&at(from), target).is_some(), "{from}: {target}");
    }
    for (from, target) in [
        ("README.md", "docs/archive.md"),
        ("docs/archive.md", "../README.md"),
        ("docs/archive.md", "decisions/README.md"),
        ("docs/archive.md", "commands.md#fgarchive-sync"),
        ("docs/archive.md", "https://sqlite.org"),
    ] {
        assert_eq!(fault(&at(from), target), None);
    }
}
