//! Which sources of the file a command is about, and which of their functions.

use super::file::{ConfigFile, FileSource};
use super::flags::Flags;
use super::source::Chosen;
use super::variables::usage;
use crate::domain::{FunctionRef, FunctionUrn, nearest};
use crate::error::Failure;

/// The sources that a command is about, in the order of the file, each with what is chosen of it.
///
/// Without flags that is all that the file says. `--source` narrows it to some sources, and
/// `--function` to some functions of those sources that hold them; `--all-functions` widens a
/// source to everything that its project lists.
pub(super) fn select<'a>(
    flags: &Flags,
    file: &'a ConfigFile,
) -> Result<Vec<(&'a FileSource, Chosen)>, Failure> {
    let named = named(flags, file)?;
    let mut selected: Vec<(&FileSource, Chosen)> = Vec::new();
    let mut homes = Vec::with_capacity(flags.functions.len());
    for function in &flags.functions {
        homes.push((home(function, &named, flags)?.name.as_str(), function));
    }
    for source in named {
        let here = homes.iter().filter(|(home, _)| *home == source.name);
        let functions: Vec<FunctionRef> = here.map(|(_, function)| (*function).clone()).collect();
        if flags.all_functions || !functions.is_empty() {
            let all_functions = flags.all_functions;
            selected.push((source, Chosen { functions, all_functions, ..Chosen::default() }));
        } else if flags.functions.is_empty() {
            let chosen = Chosen {
                functions: source.functions.clone(),
                all_functions: source.is_listing,
                filter: source.filter.clone(),
            };
            selected.push((source, chosen));
        }
    }
    check_place(flags, &selected)?;
    Ok(selected)
}

/// The sources that `--source` names, or all.
fn named<'a>(flags: &Flags, file: &'a ConfigFile) -> Result<Vec<&'a FileSource>, Failure> {
    let is_known = |name: &&String| file.sources.iter().any(|source| source.name == **name);
    if let Some(stranger) = flags.sources.iter().find(|name| !is_known(name)) {
        let failure = usage(format!(
            "the configuration `{}` has no source `{stranger}`",
            file.path().display()
        ));
        let near = nearest(stranger, file.source_names()).take(3).collect::<Vec<_>>().join(", ");
        return Err(failure.hint(format!("the nearest names: {near}")));
    }
    let is_named =
        |source: &&FileSource| flags.sources.is_empty() || flags.sources.contains(&source.name);
    Ok(file.sources.iter().filter(is_named).collect())
}

/// The source that a function named on the command line is asked of.
fn home<'a>(
    function: &FunctionRef,
    sources: &[&'a FileSource],
    flags: &Flags,
) -> Result<&'a FileSource, Failure> {
    let is_here = |source: &&&FileSource| match function {
        FunctionRef::Urn(urn) => source.may_hold(urn, flags),
        FunctionRef::Name { .. } => true,
    };
    let here: Vec<&FileSource> = sources.iter().filter(is_here).copied().collect();
    if let [source] = here[..] {
        return Ok(source);
    }
    let holding: Vec<&FileSource> =
        here.iter().filter(|source| source.holds(function)).copied().collect();
    let told = told(function);
    let names = |sources: &[&FileSource]| {
        sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    match holding[..] {
        [source] => Ok(source),
        [] => Err(usage(format!("no source holds the function `{told}`"))
            .hint(format!("the sources are {}; --source says which to ask", names(sources)))),
        _ => Err(usage(format!(
            "the function `{told}` may be of several sources: {}",
            names(&holding)
        ))
        .hint("--source says which is meant")),
    }
}

fn told(function: &FunctionRef) -> String {
    match function {
        FunctionRef::Urn(urn) => urn.to_string(),
        FunctionRef::Name { package, name, qualifier: None } => format!("{package}:{name}"),
        FunctionRef::Name { package, name, qualifier: Some(it) } => {
            format!("{package}:{name}:{it}")
        }
    }
}

impl ConfigFile {
    /// The names of the sources that a function may be of, as far as the file tells: of one alone,
    /// unless several say nothing of their projects.
    pub fn sources_of(&self, urn: &FunctionUrn) -> Vec<&str> {
        let function = FunctionRef::Urn(urn.clone());
        let by_default = self.defaults.region.as_ref();
        let is_here = |source: &&FileSource| {
            let region = source.section.region.as_ref().or(by_default);
            region.is_none_or(|region| region.value == urn.region())
                && source.may_hold(urn, &Flags::default())
                && source.holds(&function)
        };
        self.sources.iter().filter(is_here).map(|source| source.name.as_str()).collect()
    }
}

impl FileSource {
    /// Whether a function lies where the source is, as far as that is known.
    fn may_hold(&self, urn: &FunctionUrn, flags: &Flags) -> bool {
        let region = flags.region.as_ref().or(self.section.region.as_ref().map(|set| &set.value));
        let project = flags.project_id.as_ref().or(self.project_id.as_ref().map(|set| &set.value));
        region.is_none_or(|region| region == urn.region())
            && project.is_none_or(|project| project == urn.project_id())
    }

    /// Whether the source is about a function.
    pub(super) fn holds(&self, function: &FunctionRef) -> bool {
        let is_listed = match function {
            FunctionRef::Urn(urn) => self.filter.admits(urn),
            FunctionRef::Name { .. } => {
                let urn = function.clone().resolve("any", "any");
                self.filter.admits(&urn)
            }
        };
        let is_named = || self.functions.iter().any(|named| is_same(named, function));
        self.is_listing && is_listed || is_named()
    }
}

/// Whether two ways to name a function may mean the same one of a project.
fn is_same(one: &FunctionRef, other: &FunctionRef) -> bool {
    let named = |function: &FunctionRef, urn: &FunctionUrn| {
        function.clone().resolve(urn.region(), urn.project_id()) == *urn
    };
    match (one, other) {
        (FunctionRef::Urn(urn), FunctionRef::Urn(other)) => urn == other,
        (FunctionRef::Urn(urn), name) | (name, FunctionRef::Urn(urn)) => named(name, urn),
        (one, other) => one.clone().resolve("any", "any") == other.clone().resolve("any", "any"),
    }
}

/// One region, project or address cannot be that of several sources.
fn check_place(flags: &Flags, selected: &[(&FileSource, Chosen)]) -> Result<(), Failure> {
    let flag = [
        ("--region", flags.region.is_some()),
        ("--project-id", flags.project_id.is_some()),
        ("--endpoint", flags.endpoint.is_some()),
    ];
    let given = flag.iter().find(|(_, is_given)| *is_given);
    match given.filter(|_| selected.len() > 1) {
        None => Ok(()),
        Some((flag, _)) => {
            let names: Vec<&str> =
                selected.iter().map(|(source, _)| source.name.as_str()).collect();
            let message =
                format!("{flag} cannot hold for several sources at once: {}", names.join(", "));
            Err(usage(message).hint(
                "--source says which is meant; --no-config leaves the configuration file out",
            ))
        }
    }
}
