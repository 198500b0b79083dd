//! Credentials: from the first source that is complete.

use super::origin::{Origin, Setting};
use super::profile::{Profile, SECTION, open_mode, read_profile};
use super::project::checked_project;
use super::variables::{Environment, usage, variable};
use crate::api::{Cause, Credentials, Endpoint, PasswordLogin, PlainHttp, ProjectScope};
use crate::error::Failure;
use secrecy::SecretString;
use std::io;
use std::path::{Path, PathBuf};

/// A token that the user fetched.
const TOKEN: &str = "FGARCHIVE_AUTH_TOKEN";
// The names of the vendor's SDKs.
const ACCESS_KEY: &str = "HUAWEICLOUD_SDK_AK";
const SECRET_KEY: &str = "HUAWEICLOUD_SDK_SK";
const SECURITY_TOKEN: &str = "HUAWEICLOUD_SDK_SECURITY_TOKEN";
const PROFILE_FILE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
// The names of the samples in the vendor's documentation, which none of its SDKs reads.
const SAMPLE_ACCESS_KEY: &str = "CLOUD_SDK_AK";
const SAMPLE_SECRET_KEY: &str = "CLOUD_SDK_SK";
// The names of OpenStack's command line.
const AUTH_URL: &str = "OS_AUTH_URL";
const USERNAME: &str = "OS_USERNAME";
const PASSWORD: &str = "OS_PASSWORD";
const USER_DOMAIN: &str = "OS_USER_DOMAIN_NAME";
const OS_PROJECT_ID: &str = "OS_PROJECT_ID";
const OS_PROJECT_NAME: &str = "OS_PROJECT_NAME";
const OS_PROJECT_DOMAIN: &str = "OS_PROJECT_DOMAIN_NAME";

/// The hint of a command that found no credentials: every way to give them.
const WAYS: &str = "set FGARCHIVE_AUTH_TOKEN; or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; or \
                    CLOUD_SDK_AK and CLOUD_SDK_SK; or put ak and sk under [basic] in \
                    ~/.huaweicloud/credentials; or set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, \
                    OS_USER_DOMAIN_NAME and OS_PROJECT_NAME";

/// Credentials and what was learned on the way to them.
#[derive(Debug)]
pub(super) struct LoadedCredentials {
    /// What the service knows us by.
    pub(super) credentials: Credentials,
    /// The project, where it was named beside them.
    pub(super) project_id: Option<Setting<String>>,
    /// Where the credentials were found, for the log.
    pub(super) source: String,
    /// What is missing in the sources that come first, for a warning.
    pub(super) passed_over: Vec<String>,
    /// That others may read the file they came from, for a warning.
    pub(super) exposed: Option<String>,
}

impl LoadedCredentials {
    /// Why there are none, where somebody is to go on without.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.credentials {
            Credentials::Unusable(why) => Some(why.to_string()),
            _ => None,
        }
    }
}

/// What one source holds.
enum Found {
    Nothing,
    /// Nothing, where it might have been expected, and why: for those who took no other way.
    Unfit(String),
    /// Something, but not all, with what is missing.
    Incomplete(String),
    Complete(Box<LoadedCredentials>),
}

impl Found {
    fn complete(
        source: &str,
        credentials: Credentials,
        project_id: Option<Setting<String>>,
    ) -> Self {
        let source = source.to_owned();
        let passed_over = Vec::new();
        Self::Complete(Box::new(LoadedCredentials {
            credentials,
            project_id,
            source,
            passed_over,
            exposed: None,
        }))
    }
}

/// Takes the first source that is complete: a token, keys, the keys of the vendor's samples, the
/// SDK's profile file under `home`, a password.
pub(super) fn load_credentials(
    env: Environment<'_>,
    home: Option<&Path>,
    plain_http: PlainHttp,
) -> Result<LoadedCredentials, Failure> {
    let (mut passed_over, mut unfit) = (Vec::new(), Vec::new());
    let sources: [&dyn Fn() -> Result<Found, Failure>; 5] =
        [&|| token(env), &|| keys(env), &|| sample_keys(env), &|| profile(env, home), &|| {
            password(env, plain_http)
        }];
    for source in sources {
        match source()? {
            Found::Nothing => {}
            Found::Unfit(reason) => unfit.push(reason),
            Found::Incomplete(missing) => passed_over.push(missing),
            Found::Complete(loaded) => return Ok(LoadedCredentials { passed_over, ..*loaded }),
        }
    }
    Err(no_credentials(&passed_over, &unfit))
}

/// What stands for credentials that cannot be had, and says why to whoever would use them.
pub(super) fn unusable(failure: &Failure) -> LoadedCredentials {
    LoadedCredentials {
        credentials: Credentials::Unusable(Cause(failure.to_string().into())),
        project_id: None,
        source: "nothing".to_owned(),
        passed_over: Vec::new(),
        exposed: None,
    }
}

fn no_credentials(passed_over: &[String], unfit: &[String]) -> Failure {
    let lacking = if passed_over.is_empty() {
        "there are no credentials"
    } else {
        "there are no complete credentials"
    };
    let reasons = [passed_over, unfit].concat();
    if reasons.is_empty() {
        return usage(lacking).hint(WAYS);
    }
    usage(format!("{lacking}: {}", reasons.join("; "))).hint(WAYS)
}

fn token(env: Environment<'_>) -> Result<Found, Failure> {
    let Some(token) = variable(env, TOKEN)? else { return Ok(Found::Nothing) };
    let credentials = Credentials::Token(secret(TOKEN, token)?);
    Ok(Found::complete(TOKEN, credentials, None))
}

fn keys(env: Environment<'_>) -> Result<Found, Failure> {
    let pair = [(ACCESS_KEY, placed(env, ACCESS_KEY)?), (SECRET_KEY, placed(env, SECRET_KEY)?)];
    key_pair(ACCESS_KEY, pair, placed(env, SECURITY_TOKEN)?)
}

/// Whoever has run the vendor's samples has these set; the SDKs' own names come first.
fn sample_keys(env: Environment<'_>) -> Result<Found, Failure> {
    let names = [SAMPLE_ACCESS_KEY, SAMPLE_SECRET_KEY];
    let pair = [(names[0], placed(env, names[0])?), (names[1], placed(env, names[1])?)];
    key_pair(SAMPLE_ACCESS_KEY, pair, None)
}

fn placed<'a>(env: Environment<'_>, name: &'a str) -> Result<Option<Placed<'a>>, Failure> {
    Ok(variable(env, name)?.map(|value| (name, value)))
}

fn profile(env: Environment<'_>, home: Option<&Path>) -> Result<Found, Failure> {
    let Some((path, named)) = profile_path(env, home) else { return Ok(Found::Nothing) };
    match read_profile(&path, None) {
        Ok(profile) => profile_keys(&path, &profile, (SECTION, named)),
        Err(error) if !named && error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Ok(Found::Incomplete(format!(
            "the profile file `{}` cannot be read: {error}",
            path.display()
        ))),
    }
}

/// The profile file, and whether the user named it.
fn profile_path(env: Environment<'_>, home: Option<&Path>) -> Option<(PathBuf, bool)> {
    let named = env(PROFILE_FILE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let usual = || home.map(|home| home.join(".huaweicloud").join("credentials"));
    let is_named = named.is_some();
    named.or_else(usual).map(|path| (path, is_named))
}

/// The keys of a section of the profile file, for who named the section.
pub(super) fn load_profile(
    env: Environment<'_>,
    home: Option<&Path>,
    section: &str,
) -> Result<LoadedCredentials, Failure> {
    let Some((path, _)) = profile_path(env, home) else {
        return Err(usage("there is no home directory in which the profile file could be")
            .hint(format!("name the file in {PROFILE_FILE}")));
    };
    let profile = read_profile(&path, Some(section)).map_err(|error| {
        usage(format!("cannot read the profile file `{}`", path.display())).because(error)
    })?;
    match profile_keys(&path, &profile, (section, true))? {
        Found::Complete(loaded) => Ok(*loaded),
        Found::Incomplete(why) | Found::Unfit(why) => Err(usage(why)),
        Found::Nothing => Err(usage(format!("the profile file has no section [{section}]"))),
    }
}

fn profile_keys(
    path: &Path,
    profile: &Profile,
    (section, named): (&str, bool),
) -> Result<Found, Failure> {
    let place = |name: &str| format!("{name} in the profile file `{}`", path.display());
    let value = |name: &str| profile.values.get(name).cloned();
    let (ak, sk, security_token) = (place("ak"), place("sk"), place("security_token"));
    let pair = [("ak", ak.as_str()), ("sk", sk.as_str())]
        .map(|(name, place)| (place, value(name).map(|it| (place, it))));
    let temporary = value("security_token").map(|it| (security_token.as_str(), it));
    let source = format!("the profile file `{}`", path.display());
    if let Some(name) = &profile.repeated {
        let twice = format!("{source} has two values of {name} under [{section}]");
        return Ok(Found::Incomplete(twice));
    }
    Ok(match key_pair(&source, pair, temporary)? {
        Found::Nothing => {
            let what = if profile.has_section { "ak and sk under" } else { "section" };
            let lacking = format!("{what} [{section}]");
            let reason = format!("{source} has no {lacking}");
            if named { Found::Incomplete(reason) } else { Found::Unfit(reason) }
        }
        Found::Complete(loaded) => {
            let key = "project_id";
            let checked = value(key).map(|id| checked_project(&place(key), id)).transpose()?;
            let origin = || Origin::File { path: path.to_owned(), key, line: None };
            let project_id = checked.map(|value| Setting { value, origin: origin() });
            Found::Complete(Box::new(LoadedCredentials {
                project_id,
                exposed: exposed(path, "profile file"),
                ..*loaded
            }))
        }
        other => other,
    })
}

/// A warning, where others than its owner may read a file with secrets.
pub(crate) fn exposed(path: &Path, what: &str) -> Option<String> {
    let mode = open_mode(path)?;
    Some(format!(
        "others than its owner may read the {what} `{0}` (mode {mode:o}); `chmod 600 {0}` \
         makes it private",
        path.display()
    ))
}

/// A value and the name of its place.
type Placed<'a> = (&'a str, String);

/// A value of a way to log in: where it stands, in words, and what it is.
pub(super) type Named<'a> = &'a dyn Fn(&'static str) -> Result<Option<(String, String)>, Failure>;

/// The credentials of a way that has names for their parts: `token`, or else `ak` and `sk`, with
/// `security_token`; and `project_id` beside them, which comes from `origin`. `source` is the way
/// in words.
pub(super) fn of_values(
    source: &str,
    origin: impl FnOnce() -> Origin,
    named: Named<'_>,
) -> Result<LoadedCredentials, Failure> {
    let project_id = named("project_id")?.map(|(place, id)| checked_project(&place, id));
    let project_id = project_id.transpose()?.map(|value| Setting { value, origin: origin() });
    let found = if let Some((place, token)) = named("token")? {
        Found::complete(source, Credentials::Token(secret(&place, token)?), None)
    } else {
        let values = [named("ak")?, named("sk")?, named("security_token")?];
        let [ak, sk, temporary] =
            values.each_ref().map(|set| set.as_ref().map(|(at, it)| (at.as_str(), it.clone())));
        key_pair(source, [("`ak`", ak), ("`sk`", sk)], temporary)?
    };
    match found {
        Found::Complete(loaded) => Ok(LoadedCredentials { project_id, ..*loaded }),
        Found::Incomplete(missing) => Err(usage(format!("{source}: {missing}"))),
        Found::Nothing | Found::Unfit(_) => {
            Err(usage(format!("{source}: there is neither a token nor a pair of keys")))
        }
    }
}

/// Both keys or neither; each comes as the name of its place and, where it is set, its value.
fn key_pair(
    source: &str,
    pair: [(&str, Option<Placed<'_>>); 2],
    temporary: Option<Placed<'_>>,
) -> Result<Found, Failure> {
    let [(ak_place, access_key), (sk_place, secret_key)] = pair;
    let missing =
        |set: &str, missing: &str| Found::Incomplete(format!("{set} is set, {missing} is not"));
    let ((_, access_key), (_, secret_key)) = match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => (access_key, secret_key),
        (None, None) => return Ok(Found::Nothing),
        (Some(_), None) => return Ok(missing(ak_place, sk_place)),
        (None, Some(_)) => return Ok(missing(sk_place, ak_place)),
    };
    visible(ak_place, &access_key)?;
    let secret_key = secret(sk_place, secret_key)?;
    let security_token = temporary.map(|(place, token)| secret(place, token)).transpose()?;
    let credentials = Credentials::Keys { access_key, secret_key, security_token };
    Ok(Found::complete(source, credentials, None))
}

fn password(env: Environment<'_>, plain_http: PlainHttp) -> Result<Found, Failure> {
    let required = [
        (AUTH_URL, variable(env, AUTH_URL)?),
        (USERNAME, variable(env, USERNAME)?),
        (PASSWORD, variable(env, PASSWORD)?),
        (USER_DOMAIN, variable(env, USER_DOMAIN)?),
    ];
    // The variables that say where and as whom are there, or this is no attempt at a login.
    if required.iter().all(|(_, value)| value.is_none()) {
        return Ok(Found::Nothing);
    }
    let mut missing: Vec<_> =
        required.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    let scope = project_scope(env)?;
    if scope.is_none() {
        missing.push("OS_PROJECT_NAME or OS_PROJECT_ID");
    }
    let (
        [
            (_, Some(auth_url)),
            (_, Some(username)),
            (_, Some(password)),
            (_, Some(user_domain_name)),
        ],
        Some(project),
    ) = (required, scope)
    else {
        return Ok(Found::Incomplete(format!(
            "for a login by password {} is missing",
            missing.join(", ")
        )));
    };
    for (name, value) in
        [(USERNAME, &username), (PASSWORD, &password), (USER_DOMAIN, &user_domain_name)]
    {
        one_line(name, value)?;
    }
    let auth_url = Endpoint::parse(&auth_url, plain_http).map_err(|problem| {
        usage(format!("the address in {AUTH_URL} cannot be used"))
            .because(problem)
            .hint("write it like https://iam.cn-north-4.myhuaweicloud.com/v3")
    })?;
    let project_id = match &project {
        ProjectScope::Id(id) => {
            Some(Setting { value: id.clone(), origin: Origin::Variable(OS_PROJECT_ID.to_owned()) })
        }
        ProjectScope::Name { .. } => None,
    };
    let password = SecretString::from(password);
    let login = PasswordLogin { auth_url, username, password, user_domain_name, project };
    Ok(Found::complete("the OS_ variables", Credentials::Password(login), project_id))
}

fn project_scope(env: Environment<'_>) -> Result<Option<ProjectScope>, Failure> {
    if let Some(id) = variable(env, OS_PROJECT_ID)? {
        return checked_project(&OS_PROJECT_ID, id).map(|id| Some(ProjectScope::Id(id)));
    }
    let Some(name) = variable(env, OS_PROJECT_NAME)? else { return Ok(None) };
    one_line(OS_PROJECT_NAME, &name)?;
    Ok(Some(ProjectScope::Name { name, domain: variable(env, OS_PROJECT_DOMAIN)? }))
}

fn secret(place: &str, value: String) -> Result<SecretString, Failure> {
    visible(place, &value)?;
    Ok(SecretString::from(value))
}

/// Keys and tokens are visible ASCII without quotes; anything else was pasted or read with
/// something around it.
fn visible(place: &str, value: &str) -> Result<(), Failure> {
    if value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'')) {
        return Ok(());
    }
    one_line(place, value)?;
    Err(usage(format!(
        "the value of {place} holds a blank, a quote or another character that no key has"
    ))
    .hint("copy the value again, without quotes or blanks around it"))
}

fn one_line(place: &str, value: &str) -> Result<(), Failure> {
    if !value.contains(char::is_control) {
        return Ok(());
    }
    let ends_the_line = !value.trim_end_matches(['\r', '\n']).contains(char::is_control);
    let hint = if ends_the_line {
        "set it from a file with \"$(cat FILE)\", which drops the line break at the end"
    } else {
        "copy the value again, as text and on one line"
    };
    Err(usage(format!("the value of {place} holds a line break or another control character"))
        .hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use std::ffi::OsString;
    use std::os::unix::fs::PermissionsExt;

    /// What is never to be seen in a failure or in debug output.
    const SECRET: &str = "hunter2hunter2";

    fn load_at(home: Option<&Path>, set: &[(&str, &str)]) -> Result<LoadedCredentials, Failure> {
        let env =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        load_credentials(&env, home, PlainHttp::LoopbackOnly)
    }

    fn load(set: &[(&str, &str)]) -> Result<LoadedCredentials, Failure> {
        load_at(None, set)
    }

    fn failure(set: &[(&str, &str)]) -> String {
        let failure = load(set).unwrap_err();
        assert_eq!(failure.kind.exit_code(), 2);
        assert!(failure.hint.is_some(), "{failure}");
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        failure.to_string()
    }

    const LOGIN: [(&str, &str); 5] = [
        (AUTH_URL, "https://iam.example/v3"),
        (USERNAME, "user"),
        (PASSWORD, SECRET),
        (USER_DOMAIN, "domain"),
        (OS_PROJECT_NAME, "cn-north-4"),
    ];

    fn home_with(profile: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".huaweicloud")).unwrap();
        std::fs::write(home.path().join(".huaweicloud/credentials"), profile).unwrap();
        home
    }

    #[test]
    fn the_first_complete_source_wins() {
        let home = home_with("[basic]\nak = PROFILE\nsk = s\nproject_id = fromfile\n");
        let mut set = vec![(TOKEN, SECRET), (ACCESS_KEY, "AK"), (SECRET_KEY, SECRET)];
        set.extend([(SAMPLE_ACCESS_KEY, "SAMPLE"), (SAMPLE_SECRET_KEY, SECRET)]);
        set.extend(LOGIN);
        let sources: Vec<_> = (0..5)
            .map(|taken| {
                let set: Vec<_> = match taken {
                    0 => set.clone(),
                    1 => set[1..].to_vec(),
                    2 => set[3..].to_vec(),
                    _ => set[5..].to_vec(),
                };
                let home = (taken < 4).then(|| home.path());
                let loaded = load_at(home, &set).unwrap();
                assert!(!format!("{loaded:?}").contains("hunter2"));
                let kind = match loaded.credentials {
                    Credentials::Token(_) => "token".to_owned(),
                    Credentials::Keys { access_key, .. } => access_key,
                    Credentials::Password(login) => login.username,
                    Credentials::Unusable(why) => why.to_string(),
                    Credentials::Agency(metadata) => metadata.to_string(),
                };
                (kind, loaded.project_id.map(|id| id.value))
            })
            .collect();
        let expected = [
            ("token", None),
            ("AK", None),
            ("SAMPLE", None),
            ("PROFILE", Some("fromfile")),
            ("user", None),
        ];
        assert_eq!(sources, expected.map(|(kind, id)| (kind.to_owned(), id.map(str::to_owned))));
    }

    #[test]
    fn the_keys_of_the_samples_are_no_half_of_another_pair() {
        let message = failure(&[(ACCESS_KEY, "AK"), (SAMPLE_SECRET_KEY, SECRET)]);
        assert_eq!(
            message,
            "there are no complete credentials: HUAWEICLOUD_SDK_AK is set, HUAWEICLOUD_SDK_SK is \
             not; CLOUD_SDK_SK is set, CLOUD_SDK_AK is not"
        );
        let set =
            [(SAMPLE_ACCESS_KEY, "AK"), (SAMPLE_SECRET_KEY, SECRET), (SECURITY_TOKEN, SECRET)];
        let loaded = load(&set).unwrap();
        assert!(matches!(loaded.credentials, Credentials::Keys { security_token: None, .. }));
        assert_eq!(loaded.source, SAMPLE_ACCESS_KEY);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_named() {
        use std::os::unix::ffi::OsStringExt;
        for bad in [TOKEN, ACCESS_KEY, SAMPLE_SECRET_KEY, PASSWORD, OS_PROJECT_NAME] {
            let env = |name: &str| {
                let latin = || OsString::from_vec(b"hunter2\xe9".to_vec());
                (name == bad)
                    .then(latin)
                    .or_else(|| (name == AUTH_URL).then(|| "https://iam.example".into()))
            };
            let failure = load_credentials(&env, None, PlainHttp::LoopbackOnly).unwrap_err();
            assert_eq!(failure.to_string(), format!("the value of {bad} is not UTF-8"));
            assert!(failure.kind.exit_code() == 2 && failure.hint.is_some(), "{failure:?}");
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let loaded =
            load(&[(TOKEN, ""), (ACCESS_KEY, "AK"), (SECRET_KEY, "s"), (SECURITY_TOKEN, "")])
                .unwrap();
        assert!(matches!(loaded.credentials, Credentials::Keys { security_token: None, .. }));
        assert_eq!(loaded.project_id, None);
        assert_eq!(failure(&[(TOKEN, ""), (ACCESS_KEY, "")]), "there are no credentials");
    }

    #[test]
    fn half_a_pair_is_named_or_passed_over_for_a_whole_one() {
        let message = failure(&[(ACCESS_KEY, "AK")]);
        assert_eq!(
            message,
            "there are no complete credentials: HUAWEICLOUD_SDK_AK is set, HUAWEICLOUD_SDK_SK is \
             not"
        );
        let message = failure(&[(SECRET_KEY, SECRET)]);
        assert_eq!(
            message,
            "there are no complete credentials: HUAWEICLOUD_SDK_SK is set, HUAWEICLOUD_SDK_AK is \
             not"
        );
        let message = failure(&[(USERNAME, "user"), (PASSWORD, SECRET)]);
        assert!(
            message.ends_with(
                "OS_AUTH_URL, OS_USER_DOMAIN_NAME, OS_PROJECT_NAME or OS_PROJECT_ID is missing"
            ),
            "{message}"
        );
        let set: Vec<_> = [(ACCESS_KEY, "AK")].into_iter().chain(LOGIN).collect();
        let loaded = load(&set).unwrap();
        assert!(matches!(loaded.credentials, Credentials::Password(_)));
        assert_eq!(loaded.passed_over, ["HUAWEICLOUD_SDK_AK is set, HUAWEICLOUD_SDK_SK is not"]);
    }

    #[test]
    fn a_value_with_something_around_it_is_refused_by_name_only() {
        for bad in [
            "hunter2\n",
            "hunter2\r\nX: y",
            " hunter2",
            "hunter2 ",
            "hunter2é",
            "hun\u{0}ter2hunter2",
            "\"hunter2\"",
            "'hunter2",
        ] {
            for (name, set) in [
                (TOKEN, vec![(TOKEN, bad)]),
                (ACCESS_KEY, vec![(ACCESS_KEY, bad), (SECRET_KEY, "s")]),
                (SECRET_KEY, vec![(ACCESS_KEY, "AK"), (SECRET_KEY, bad)]),
                (
                    SECURITY_TOKEN,
                    vec![(ACCESS_KEY, "AK"), (SECRET_KEY, "s"), (SECURITY_TOKEN, bad)],
                ),
                (SAMPLE_SECRET_KEY, vec![(SAMPLE_ACCESS_KEY, "AK"), (SAMPLE_SECRET_KEY, bad)]),
            ] {
                assert!(failure(&set).contains(name), "{name} {bad:?}");
            }
        }
        let mut set = LOGIN;
        set[2].1 = "hunter2\n";
        assert!(failure(&set).contains(PASSWORD));
        set[2].1 = "pass wörd";
        assert!(load(&set).is_ok());
    }

    #[test]
    fn a_profile_file_is_read_where_the_sdk_has_it_or_where_it_is_named() {
        let home = home_with("[basic]\nak = AK\nsk = hunter2\nsecurity_token = t\n");
        let loaded = load_at(Some(home.path()), &[]).unwrap();
        assert!(loaded.source.contains(".huaweicloud/credentials"), "{}", loaded.source);
        let Credentials::Keys { secret_key, security_token, .. } = loaded.credentials else {
            panic!("no keys")
        };
        assert_eq!(
            (secret_key.expose_secret(), security_token.unwrap().expose_secret()),
            ("hunter2", "t")
        );

        let named = home.path().join(".huaweicloud/credentials");
        assert!(load(&[(PROFILE_FILE, named.to_str().unwrap())]).is_ok());
        let message = failure(&[(PROFILE_FILE, "/nonexistent/profile")]);
        assert!(message.contains("`/nonexistent/profile` cannot be read"), "{message}");

        let private =
            |mode| std::fs::set_permissions(&named, std::fs::Permissions::from_mode(mode)).unwrap();
        for (mode, is_told) in [(0o600, false), (0o640, true), (0o604, true), (0o400, false)] {
            private(mode);
            let exposed = load_at(Some(home.path()), &[]).unwrap().exposed;
            assert_eq!(
                exposed.is_some_and(|text| text.contains(&format!("mode {mode:o}"))),
                is_told,
                "{mode:o}"
            );
        }

        let empty = tempfile::tempdir().unwrap();
        assert_eq!(
            load_at(Some(empty.path()), &[]).unwrap_err().to_string(),
            "there are no credentials"
        );
        let half = home_with("[basic]\nak = AK\n");
        let message = load_at(Some(half.path()), &[]).unwrap_err().to_string();
        assert!(
            message.contains("ak in the profile file")
                && message.contains("sk in the profile file"),
            "{message}"
        );
    }

    #[test]
    fn a_profile_file_without_keys_is_found_and_told_of_where_nothing_else_is() {
        let section = "has no section [basic]";
        let keys = "has no ak and sk under [basic]";
        for (profile, lacking) in
            [("", section), ("ak = A\nsk = s\n", section), ("[basic]\n[global]\nak = A\n", keys)]
        {
            let home = home_with(profile);
            let file = home.path().join(".huaweicloud/credentials");
            let lacks = format!("the profile file `{}` {lacking}", file.display());
            let message = load_at(Some(home.path()), &[]).unwrap_err().to_string();
            assert_eq!(message, format!("there are no credentials: {lacks}"));
            // A file that was named is missed even where another way is complete; one that lies
            // there is not.
            assert_eq!(load_at(Some(home.path()), &LOGIN).unwrap().passed_over, [] as [String; 0]);
            let named: Vec<_> =
                [(PROFILE_FILE, file.to_str().unwrap())].into_iter().chain(LOGIN).collect();
            assert_eq!(load(&named).unwrap().passed_over, [lacks]);
        }
        let quoted = home_with("[basic]\nak = \"AK\"\nsk = 'hunter2'\nproject_id = \"id\"\n");
        let loaded = load_at(Some(quoted.path()), &[]).unwrap();
        let Credentials::Keys { access_key, secret_key, .. } = loaded.credentials else {
            panic!("no keys")
        };
        assert_eq!((access_key.as_str(), secret_key.expose_secret()), ("AK", "hunter2"));
        let named = loaded.project_id.map(|id| (id.value, id.origin.to_string()));
        let file = quoted.path().join(".huaweicloud/credentials");
        assert_eq!(
            named,
            Some(("id".to_owned(), format!("project_id in the file `{}`", file.display())))
        );
    }

    #[test]
    fn addresses_and_projects_are_checked() {
        let mut set = LOGIN;
        set[0].1 = "http://iam.example/v3";
        assert_eq!(
            load(&set).unwrap_err().to_string(),
            "the address in OS_AUTH_URL cannot be used: plain http is accepted for this machine's \
             own addresses only"
        );
        set[0].1 = "http://127.0.0.1:8080/v3";
        assert!(load(&set).is_ok());
        let mut set = LOGIN.to_vec();
        set.push((OS_PROJECT_ID, "../x"));
        assert!(failure(&set).contains(OS_PROJECT_ID));
    }

    proptest! {
        /// Every variable may hold anything, and a failure names the variables but never says what
        /// a secret one holds.
        #[test]
        fn any_values_are_taken_or_refused(
            values in prop::collection::vec((0..14usize, "\\PC{0,12}[\n ]?"), 0..16),
        ) {
            let names = [
                TOKEN,
                ACCESS_KEY,
                SECRET_KEY,
                SECURITY_TOKEN,
                AUTH_URL,
                USERNAME,
                PASSWORD,
                USER_DOMAIN,
                OS_PROJECT_ID,
                OS_PROJECT_NAME,
                OS_PROJECT_DOMAIN,
                PROFILE_FILE,
                SAMPLE_ACCESS_KEY,
                SAMPLE_SECRET_KEY,
            ];
            let marked = |(at, value): &(usize, String)| {
                let name = names[*at];
                let is_secret = [TOKEN, SECRET_KEY, SECURITY_TOKEN, PASSWORD, SAMPLE_SECRET_KEY]
                    .contains(&name);
                (name, if is_secret { format!("{value}hunter2{value}") } else { value.clone() })
            };
            let values: Vec<_> = values.iter().map(marked).collect();
            let set: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            if let Err(failure) = load(&set) {
                prop_assert_eq!(failure.kind.exit_code(), 2);
                prop_assert!(!format!("{failure} {failure:?}").contains("hunter2"), "{failure:?}");
            }
        }

        #[test]
        fn any_profile_is_taken_or_refused(
            lines in prop::collection::vec(
                "(ak|sk|security_token|project_id) ?[=:]\\PC{0,12}",
                0..6,
            ),
        ) {
            let is_secret =
                |line: &str| line.starts_with("sk") || line.starts_with("security_token");
            let marked = lines
                .iter()
                .map(|line| if is_secret(line) { format!("{line}hunter2") } else { line.clone() });
            let marked: Vec<_> = marked.collect();
            let home = home_with(&format!("[basic]\n{}\n", marked.join("\n")));
            let shown = match load_at(Some(home.path()), &[]) {
                Ok(loaded) => format!("{loaded:?}"),
                Err(failure) => format!("{failure} {failure:?}"),
            };
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
