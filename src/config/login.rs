//! Logging in as a source of the configuration file says.

use super::command::{TIME_LIMIT, output_of};
use super::credentials::{LoadedCredentials, exposed, load_credentials, load_profile, of_values};
use super::file::Login;
use super::keys::parse_keys;
use super::layers::Layers;
use super::origin::{Origin, Setting};
use super::profile::{MAX_FILE, read_limited};
use super::surroundings::Surroundings;
use super::variables::{Environment, usage, variable};
use crate::api::{Credentials, Endpoint, PlainHttp};
use crate::error::Failure;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where the service manager lays the secrets of a unit (`LoadCredential=`, systemd.exec(5)).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where a cloud server's metadata is, and the variable that says otherwise.
const METADATA: &str = "http://169.254.169.254";
const METADATA_ENDPOINT: &str = "FGARCHIVE_METADATA_ENDPOINT";

/// What a file or command is to hold, for the hint of a failure.
const FORM: &str = "it holds lines `ak = …` and `sk = …` (and `security_token`, `project_id`), or \
                    `token = …`, or one JSON object with these names";

/// The credentials of a source: by its own way, or by that of the environment.
pub(super) fn log_in(
    login: Option<&Setting<Login>>,
    layers: Layers<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<LoadedCredentials, Failure> {
    let &Surroundings { env, home, file, .. } = surroundings;
    let Some(Setting { value, origin }) = login else {
        return load_credentials(env, home, layers.plain_http());
    };
    match value {
        Login::Profile(section) => load_profile(env, home, section),
        Login::Variables(prefix) => of_variables(env, prefix),
        Login::File(path) => {
            let directory = file.and_then(|file| file.path().parent());
            of_file(&resolved(path, env, directory)?)
        }
        Login::Command(argv) => of_command(argv, origin),
        Login::Metadata => of_metadata(env),
    }
}

/// By the metadata of this server, which is asked when the keys are needed.
fn of_metadata(env: Environment<'_>) -> Result<LoadedCredentials, Failure> {
    let set = variable(env, METADATA_ENDPOINT)?;
    let address = set.as_deref().unwrap_or(METADATA);
    // Its keys are not to be had from anybody else, and travel in the clear.
    let metadata = Endpoint::parse(address, PlainHttp::Anywhere).ok().filter(Endpoint::is_near);
    let metadata = metadata.ok_or_else(|| {
        usage(format!("the address in {METADATA_ENDPOINT} cannot be that of a server's metadata"))
            .hint(format!("it is an address of this machine or its link, such as {METADATA}"))
    })?;
    Ok(LoadedCredentials {
        source: format!("the metadata of this server ({metadata})"),
        credentials: Credentials::Agency(metadata),
        project_id: None,
        passed_over: Vec::new(),
        exposed: None,
    })
}

fn of_variables(env: Environment<'_>, prefix: &str) -> Result<LoadedCredentials, Failure> {
    let name = |part: &str| {
        let part = if part == "token" { "auth_token" } else { part };
        format!("{prefix}_{}", part.to_ascii_uppercase())
    };
    let named = |part: &'static str| {
        let name = name(part);
        Ok(variable(env, &name)?.map(|value| (name, value)))
    };
    let origin = || Origin::Variable(name("project_id"));
    of_values(&format!("the variables {prefix}_…"), origin, &named)
        .map_err(|failure| failure.hint(format!("set {} and {}", name("ak"), name("sk"))))
}

/// A file that is named without a directory is one of the service manager's, where there are such,
/// and else stands beside the configuration.
fn resolved(path: &Path, env: Environment<'_>, beside: Option<&Path>) -> Result<PathBuf, Failure> {
    if path.is_absolute() || path.components().count() > 1 {
        return Ok(path.to_owned());
    }
    if let Some(directory) = variable(env, CREDENTIALS_DIRECTORY)? {
        let given = Path::new(&directory).join(path);
        if given.exists() {
            return Ok(given);
        }
    }
    Ok(beside.unwrap_or(Path::new("")).join(path))
}

fn of_file(path: &Path) -> Result<LoadedCredentials, Failure> {
    let source = format!("the file `{}`", path.display());
    let bytes = read_limited(path, MAX_FILE)
        .map_err(|error| usage(format!("cannot read {source} with credentials")).because(error))?;
    let values = values(bytes, &source)?;
    let origin = || Origin::File { path: path.to_owned(), key: "project_id", line: None };
    let loaded = of_values(&source, origin, &in_words(&values, &source))
        .map_err(|failure| failure.hint(FORM))?;
    Ok(LoadedCredentials { exposed: exposed(path, "file with credentials"), ..loaded })
}

fn of_command(argv: &[String], origin: &Origin) -> Result<LoadedCredentials, Failure> {
    // Arguments may hold what no log should: the program's name says enough.
    let program = argv.first().map(String::as_str).unwrap_or_default();
    let source = format!("the command `{program}`");
    let bytes = output_of(argv, TIME_LIMIT).map_err(|why| {
        usage(format!("{source} gives no credentials: {why}"))
            .hint("run it by hand, as the same user and with the same variables")
    })?;
    let output = format!("the output of {source}");
    let values = values(bytes, &output)?;
    of_values(&output, || origin.clone(), &in_words(&values, &output))
        .map_err(|failure| failure.hint(FORM))
}

fn values(bytes: Vec<u8>, source: &str) -> Result<HashMap<String, String>, Failure> {
    parse_keys(bytes)
        .map_err(|why| usage(format!("{source} gives no credentials: {why}")).hint(FORM))
}

/// The values with their places in words.
fn in_words(
    values: &HashMap<String, String>,
    source: &str,
) -> impl Fn(&'static str) -> Result<Option<(String, String)>, Failure> {
    move |name| Ok(values.get(name).map(|value| (format!("`{name}` in {source}"), value.clone())))
}
