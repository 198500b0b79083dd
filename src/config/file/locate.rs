//! Which file is read.

use super::read::{ConfigFile, read};
use crate::config::origin::Origin;
use crate::config::variables::Environment;
use crate::error::Failure;
use std::path::{Path, PathBuf};

/// The variable that names the file.
const VARIABLE: &str = "FGARCHIVE_CONFIG";

/// The option that names it.
const FLAG: &str = "--config";

/// What it is called in a directory of settings.
const NAME: &str = "fgarchive/config.toml";

/// The file of the whole machine.
const OF_MACHINE: &str = "/etc/fgarchive/config.toml";

/// Where the file is looked for.
#[derive(Clone, Copy)]
pub struct ConfigPlace<'a> {
    /// What `--config` names; an empty path counts as not given.
    pub given: Option<&'a Path>,
    /// The environment.
    pub env: Environment<'a>,
    /// The user's home directory, where one is known.
    pub home: Option<&'a Path>,
}

/// Finds the file and reads it: the one that is named, which has to be there, or else the first of
/// the user's and the machine's that is. The working directory is never looked at: who may write
/// there would say where keys are sent.
pub fn find_config(place: ConfigPlace<'_>) -> Result<Option<ConfigFile>, Failure> {
    let ConfigPlace { given, env, home } = place;
    if let Some((path, _)) = named(given, env) {
        return read(&path, home).map(Some);
    }
    for path in usual_places(env, home) {
        // A directory that may not be entered holds no file for this user.
        if std::fs::symlink_metadata(&path).is_ok() {
            return read(&path, home).map(Some);
        }
    }
    Ok(None)
}

/// Where a new file is written: where it is named, or else the user's own.
pub fn new_path(place: ConfigPlace<'_>) -> Option<PathBuf> {
    let ConfigPlace { given, env, home } = place;
    let named = named(given, env).map(|(path, _)| path);
    named.or_else(|| usual_places(env, home).into_iter().find(|path| path != Path::new(OF_MACHINE)))
}

/// The file that is named, and by what.
pub(super) fn named(given: Option<&Path>, env: Environment<'_>) -> Option<(PathBuf, Origin)> {
    let is_told = |path: &&Path| !path.as_os_str().is_empty();
    let by_flag = given.filter(is_told).map(|path| (path.to_owned(), Origin::Flag(FLAG)));
    let set = || env(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    by_flag.or_else(|| set().map(|path| (path, Origin::Variable(VARIABLE.to_owned()))))
}

/// The places where a file that nobody names may be, the first first.
///
/// A relative `XDG_CONFIG_HOME` is to be passed over (XDG Base Directory Specification).
pub(super) fn usual_places(env: Environment<'_>, home: Option<&Path>) -> Vec<PathBuf> {
    let set = env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let of_user = set.or_else(|| home.map(|home| home.join(".config")));
    of_user.map(|directory| directory.join(NAME)).into_iter().chain([OF_MACHINE.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use std::fs;

    #[test]
    fn the_file_that_is_named_comes_first_and_has_to_be_there() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir_all(at(".config/fgarchive")).unwrap();
        fs::create_dir_all(at("xdg/fgarchive")).unwrap();
        for name in [".config/fgarchive/config.toml", "xdg/fgarchive/config.toml", "a", "b"] {
            fs::write(at(name), "").unwrap();
        }
        let found = |given: Option<&Path>, set: &[(&str, PathBuf)]| {
            let env = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, path)| path.clone().into())
            };
            let place = ConfigPlace { given, env: &env, home: Some(home.path()) };
            find_config(place).map(|file| file.map(|file| file.path().to_owned()))
        };
        let (a, xdg) = (at("a"), ("XDG_CONFIG_HOME", at("xdg")));
        let variable = (VARIABLE, at("b"));
        let of = |path: PathBuf| Some(path);
        assert_eq!(found(Some(&a), &[variable.clone(), xdg.clone()]).unwrap(), of(a));
        assert_eq!(
            found(Some(Path::new("")), &[variable, xdg.clone()]).unwrap(),
            of(at("b")),
            "an empty path"
        );
        assert_eq!(found(None, &[xdg]).unwrap(), of(at("xdg/fgarchive/config.toml")));
        for unusable in ["", "xdg"] {
            assert_eq!(
                found(None, &[("XDG_CONFIG_HOME", unusable.into())]).unwrap(),
                of(at(".config/fgarchive/config.toml"))
            );
        }
        let missing = at("nothing");
        let failure = found(Some(&missing), &[]).unwrap_err();
        assert_eq!(failure.kind.exit_code(), 2);
        assert!(failure.to_string().contains("nothing"), "{failure}");
        assert!(found(None, &[(VARIABLE, missing)]).is_err());
    }
}
