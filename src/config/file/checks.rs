//! The sources of the file: each by itself, and all beside each other.

use super::document::{self, Source, Text};
use super::place::Written;
use super::section::{FileSource, Login, Section, path, told};
use crate::config::origin::{Origin, Setting};
use crate::config::values::is_project;
use crate::config::variables::shown;
use crate::domain::{FunctionFilter, FunctionPattern, FunctionRef};
use crate::error::Failure;
use std::fmt::Display;
use std::ops::Range;
use toml::Spanned;

/// The longest name of a source: it stands in lines of logs, in tables and in metrics.
const LONGEST_NAME: usize = 64;

pub(super) fn read_source(
    source: &Spanned<Source>,
    written: Written<'_>,
) -> Result<FileSource, Failure> {
    let (span, source) = (source.span(), source.get_ref());
    let name = written.setting("name", &source.name, |text| checked_name(text))?.value;
    let set = source.project_id.as_ref();
    let project_id = set.map(|it| written.setting("project_id", it, |text| checked_project(text)));
    let project_id = project_id.transpose()?;
    let endpoint =
        source.endpoint.as_ref().map(|it| written.setting("endpoint", it, |text| told(text)));
    let login = source.credentials.as_ref().map(|it| read_login(it, written)).transpose()?;
    let chosen = Chosen::read(source, written)?;
    Ok(FileSource {
        written: Chosen::told(source, &span, written),
        section: Section::read(&source.settings(), written)?,
        project_id,
        endpoint: endpoint.transpose()?,
        functions: chosen.functions,
        is_listing: chosen.is_listing,
        filter: chosen.filter,
        login,
        region_span: source.region.as_ref().map(Spanned::span),
        name,
        span,
    })
}

fn checked_project(text: &str) -> Result<String, String> {
    if text.is_empty() || !is_project(text) {
        return Err(format!(
            "{} is no project id: it has letters, digits, `-` and `_` only",
            shown(text)
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn checked_name(text: &str) -> Result<String, String> {
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if text.is_empty() || text.chars().count() > LONGEST_NAME || !text.chars().all(is_fit) {
        return Err(format!(
            "a name has 1 to {LONGEST_NAME} letters, digits, `-`, `_`, `.` or `/`"
        ));
    }
    Ok(text.to_owned())
}

/// Which functions a source is about.
#[derive(Debug, Default)]
struct Chosen {
    functions: Vec<FunctionRef>,
    is_listing: bool,
    filter: FunctionFilter,
}

impl Chosen {
    fn read(source: &Source, written: Written<'_>) -> Result<Self, Failure> {
        let mut chosen = Self::default();
        let mut is_named = false;
        for text in source.functions.iter().flat_map(Spanned::get_ref) {
            if let Some(excluded) = text.get_ref().strip_prefix('!') {
                chosen.filter.exclude.push(read_as(text, excluded, "functions", written)?);
            } else if FunctionPattern::is_glob(text.get_ref()) {
                chosen.filter.include.push(read_as(text, text.get_ref(), "functions", written)?);
                is_named = true;
            } else {
                chosen.functions.push(read_as(text, text.get_ref(), "functions", written)?);
                is_named = true;
            }
        }
        for text in source.exclude.iter().flatten() {
            let name = text.get_ref().strip_prefix('!').unwrap_or(text.get_ref());
            chosen.filter.exclude.push(read_as(text, name, "exclude", written)?);
        }
        if let Some(empty) = source.functions.as_ref().filter(|all| all.get_ref().is_empty()) {
            let what = "`functions` is empty: leave it out for every function of the project";
            return Err(written.wrong(&empty.span(), what));
        }
        chosen.is_listing = !is_named || !chosen.filter.include.is_empty();
        chosen.check_region(source, written)?;
        chosen.drop_excluded();
        Ok(chosen)
    }

    /// What is excluded is not asked for, even if it is named.
    fn drop_excluded(&mut self) {
        let exclude = &self.filter.exclude;
        let is_excluded = |function: &FunctionRef| match function {
            FunctionRef::Urn(urn) => exclude.iter().any(|it| it.matches(urn)),
            FunctionRef::Name { package, name, qualifier } => {
                let qualifier = qualifier.as_deref().unwrap_or("latest");
                exclude.iter().any(|it| it.matches_name(package, name, qualifier))
            }
        };
        self.functions.retain(|function| !is_excluded(function));
    }

    /// A URN that names another region or project than the source would be asked for in vain.
    fn check_region(&self, source: &Source, written: Written<'_>) -> Result<(), Failure> {
        let said = |set: &Option<Text>| set.as_ref().map(|text| text.get_ref().clone());
        let (region, project) = (said(&source.region), said(&source.project_id));
        let is_elsewhere = |function: &&FunctionRef| match function {
            FunctionRef::Urn(urn) => {
                region.as_deref().is_some_and(|region| region != urn.region())
                    || project.as_deref().is_some_and(|project| project != urn.project_id())
            }
            FunctionRef::Name { .. } => false,
        };
        match (self.functions.iter().find(is_elsewhere), &source.functions) {
            (Some(FunctionRef::Urn(urn)), Some(functions)) => Err(written.wrong(
                &functions.span(),
                format!("the function `{urn}` is of another region or project than its source"),
            )),
            _ => Ok(()),
        }
    }

    /// What is written of functions, on a line.
    fn told(source: &Source, span: &Range<usize>, written: Written<'_>) -> Setting<String> {
        let functions = source.functions.iter().flat_map(Spanned::get_ref).map(Spanned::get_ref);
        let excluded = source.exclude.iter().flatten().map(|it| format!("!{}", it.get_ref()));
        let all: Vec<String> = functions.cloned().chain(excluded).collect();
        match &source.functions {
            Some(list) => {
                Setting { value: all.join(", "), origin: written.origin("functions", &list.span()) }
            }
            None if all.is_empty() => Setting { value: "*".to_owned(), origin: Origin::Default },
            None => Setting {
                value: format!("*, {}", all.join(", ")),
                origin: written.origin("exclude", span),
            },
        }
    }
}

fn read_as<T: std::str::FromStr<Err: Display>>(
    place: &Text,
    text: &str,
    key: &'static str,
    written: Written<'_>,
) -> Result<T, Failure> {
    text.parse().map_err(|why| written.wrong(&place.span(), format!("`{key}`: {why}")))
}

fn read_login(
    credentials: &Spanned<document::Credentials>,
    written: Written<'_>,
) -> Result<Setting<Login>, Failure> {
    let span = credentials.span();
    let wrong = |what: &str| written.wrong(&span, format!("`credentials`: {what}"));
    let document::Credentials { profile, env, file, command, metadata } = credentials.get_ref();
    let ways = [
        profile.as_ref().map(|it| told(it.get_ref()).map(Login::Profile)),
        env.as_ref().map(|it| checked_prefix(it.get_ref()).map(Login::Variables)),
        file.as_ref().map(|it| credential_path(it.get_ref(), written).map(Login::File)),
        command.as_ref().map(|argv| checked_command(argv).map(Login::Command)),
        metadata.map(|is_meant| {
            let way = is_meant.then_some(Login::Metadata);
            way.ok_or_else(|| "`metadata` is true where it is the way to log in".into())
        }),
    ];
    let mut ways = ways.into_iter().flatten();
    let one = "one of `profile`, `env`, `file`, `command` and `metadata` says how to log in";
    let (Some(way), None) = (ways.next(), ways.next()) else { return Err(wrong(one)) };
    let value = way.map_err(|why| wrong(&why))?;
    Ok(Setting { value, origin: written.origin("credentials", &span) })
}

/// A file of keys; one that is named without a directory may be a credential of the service
/// manager, which is looked for when it is needed.
fn credential_path(text: &str, written: Written<'_>) -> Result<std::path::PathBuf, String> {
    if text.contains('/') { path(text, written) } else { told(text).map(Into::into) }
}

fn checked_prefix(text: &str) -> Result<String, String> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty() || !text.bytes().all(is_fit) {
        return Err(
            "`env` is what the variables' names begin with, such as SHOP for SHOP_AK".into()
        );
    }
    Ok(text.trim_end_matches('_').to_owned())
}

pub(super) fn checked_command(argv: &[String]) -> Result<Vec<String>, String> {
    let is_fit = argv.first().is_some_and(|program| !program.is_empty())
        && !argv.iter().any(|argument| argument.contains('\0'));
    if is_fit { Ok(argv.to_vec()) } else { Err("`command` is a program and its arguments".into()) }
}

/// Refuses what contradicts itself: two sources of one name, and a function that two sources ask
/// for.
pub(super) fn check_sources(sources: &[FileSource], written: Written<'_>) -> Result<(), Failure> {
    for (place, source) in sources.iter().enumerate() {
        for other in &sources[..place] {
            if other.name == source.name {
                let what = format!("two sources are named `{}`", source.name);
                return Err(written.wrong(&source.span, what));
            }
            if let Some(function) = shared(other, source) {
                let (one, two) = (&other.name, &source.name);
                let what = format!("the sources `{one}` and `{two}` both hold {function}");
                return Err(written.wrong(&source.span, what));
            }
        }
    }
    Ok(())
}

/// What two sources of one project both hold, as far as the file tells; what only the lists of
/// functions tell is found when the run has them.
fn shared(one: &FileSource, other: &FileSource) -> Option<String> {
    let value = |set: &Option<Setting<String>>| set.as_ref().map(|set| set.value.clone());
    let place = |source: &FileSource| {
        (value(&source.section.region), value(&source.project_id), value(&source.endpoint))
    };
    let login = |source: &FileSource| source.login.as_ref().map(|set| set.value.clone());
    // Without a project, whose it is depends on the login.
    let is_known = one.project_id.is_some() || login(one) == login(other);
    if place(one) != place(other) || !is_known {
        return None;
    }
    let is_all =
        |source: &FileSource| source.is_listing && source.filter == FunctionFilter::default();
    if is_all(one) && is_all(other) {
        return Some("every function of one project".to_owned());
    }
    let of_both = |named: &'_ FileSource, other: &FileSource| {
        named.functions.iter().find(|function| other.holds(function)).map(in_words)
    };
    of_both(one, other).or_else(|| of_both(other, one))
}

fn in_words(function: &FunctionRef) -> String {
    match function {
        FunctionRef::Urn(urn) => format!("the function `{}`", urn.full_name()),
        FunctionRef::Name { package, name, qualifier: None } => {
            format!("the function `{package}:{name}`")
        }
        FunctionRef::Name { package, name, qualifier: Some(qualifier) } => {
            format!("the function `{package}:{name}:{qualifier}`")
        }
    }
}
