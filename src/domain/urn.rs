//! How a function is named.
//!
//! Source of the forms: the vendor's page on the function model. A full URN has eight fields,
//! `urn:fss:<region>:<project_id>:function:<package>:<name>:<version | !alias>`; without the last
//! it means `latest`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The package of a function whose short name gives none.
pub(super) const DEFAULT_PACKAGE: &str = "default";

/// The version that an unversioned URN means, according to the vendor's page.
const LATEST: &str = "latest";

/// A full URN of a function. Equal functions compare equal and are shown alike, with `latest` left
/// unsaid; how it was written is kept beside that, since a service may know only one of the forms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionUrn {
    region: String,
    project_id: String,
    package: String,
    name: String,
    qualifier: String,
    spelling: Spelling,
}

/// Whether `latest` was written out. It is no part of what a function is: all spellings are equal.
#[derive(Clone, Copy, Debug)]
struct Spelling {
    says_latest: bool,
}

impl PartialEq for Spelling {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Spelling {}

impl PartialOrd for Spelling {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Spelling {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for Spelling {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl FunctionUrn {
    /// The region's id.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The project's id.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The package (the console's "application").
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, or an alias with its `!`; `latest` when the URN gave none.
    pub fn qualifier(&self) -> &str {
        &self.qualifier
    }

    /// The URN as it was given or listed, which is how the service is asked first.
    pub fn as_given(&self) -> String {
        if self.spelling.says_latest { format!("{self}:{LATEST}") } else { self.to_string() }
    }

    /// The same function in the other form, with or without `latest`; a version or an alias has
    /// none.
    pub fn other_form(&self) -> Option<Self> {
        let spelling = Spelling { says_latest: !self.spelling.says_latest };
        (self.qualifier == LATEST).then(|| Self { spelling, ..self.clone() })
    }

    /// `package:name`, as every table has it, and the version where it is not the usual one.
    pub fn full_name(&self) -> String {
        let Self { package, name, qualifier, .. } = self;
        if qualifier == LATEST {
            format!("{package}:{name}")
        } else {
            format!("{package}:{name}:{qualifier}")
        }
    }
}

/// Seven fields for `latest`, as the service's own listing gives them, eight otherwise.
impl fmt::Display for FunctionUrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, project_id, package, name, qualifier, .. } = self;
        write!(f, "urn:fss:{region}:{project_id}:function:{package}:{name}")?;
        if qualifier == LATEST { Ok(()) } else { write!(f, ":{qualifier}") }
    }
}

impl FromStr for FunctionUrn {
    type Err = UnreadableFunction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            FunctionRef::Urn(urn) => Ok(urn),
            FunctionRef::Name { .. } => Err(UnreadableFunction(text.to_owned())),
        }
    }
}

/// A function as a person names it: a full URN, `package:name:version`, `package:name`, or a bare
/// name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionRef {
    /// A full URN.
    Urn(FunctionUrn),
    /// A name in the project that the run is about.
    Name {
        /// The package, `default` unless given.
        package: String,
        /// The function's name.
        name: String,
        /// Its version or alias, where one is meant.
        qualifier: Option<String>,
    },
}

/// A text that names no function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a function's name, nor `package:name[:version]`, nor a URN such as \
     urn:fss:<region>:<project_id>:function:<package>:<name>"
)]
pub struct UnreadableFunction(pub String);

impl FunctionRef {
    /// The URN this stands for in a region and project.
    pub fn resolve(self, region: &str, project_id: &str) -> FunctionUrn {
        match self {
            Self::Urn(urn) => urn,
            Self::Name { package, name, qualifier } => {
                urn([region, project_id, &package, &name], qualifier.as_deref())
            }
        }
    }
}

impl From<FunctionUrn> for FunctionRef {
    fn from(urn: FunctionUrn) -> Self {
        Self::Urn(urn)
    }
}

impl FromStr for FunctionRef {
    type Err = UnreadableFunction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || UnreadableFunction(text.chars().take(300).collect());
        let fields: Vec<&str> = text.split(':').collect();
        let readable = |field: &&str| {
            !field.is_empty()
                && !field.contains(|c: char| {
                    c.is_whitespace() || c.is_control() || c == '/' || c == '?' || c == '#'
                })
        };
        if !fields.iter().all(readable) {
            return Err(unreadable());
        }
        match fields[..] {
            ["urn", "fss", region, project_id, "function", package, name] => {
                Ok(Self::Urn(urn([region, project_id, package, name], None)))
            }
            ["urn", "fss", region, project_id, "function", package, name, qualifier] => {
                Ok(Self::Urn(urn([region, project_id, package, name], Some(qualifier))))
            }
            [name] => Ok(named(DEFAULT_PACKAGE, name, None)),
            [package, name] => Ok(named(package, name, None)),
            // A URN that lacks its end is no version of a package called `urn`.
            [package, name, qualifier] if package != "urn" => {
                Ok(named(package, name, Some(qualifier)))
            }
            _ => Err(unreadable()),
        }
    }
}

fn named(package: &str, name: &str, qualifier: Option<&str>) -> FunctionRef {
    FunctionRef::Name {
        package: package.to_owned(),
        name: name.to_owned(),
        qualifier: qualifier.map(str::to_owned),
    }
}

fn urn(fields: [&str; 4], qualifier: Option<&str>) -> FunctionUrn {
    let [region, project_id, package, name] = fields.map(str::to_owned);
    let spelling = Spelling { says_latest: qualifier == Some(LATEST) };
    FunctionUrn {
        region,
        project_id,
        package,
        name,
        qualifier: qualifier.unwrap_or(LATEST).to_owned(),
        spelling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const SEVEN: &str = "urn:fss:cn-north-4:0123:function:default:report";

    #[test]
    fn latest_said_or_unsaid_is_the_same_function() {
        let seven: FunctionUrn = SEVEN.parse().unwrap();
        let eight: FunctionUrn = format!("{SEVEN}:latest").parse().unwrap();
        assert_eq!(seven, eight);
        assert_eq!(eight.to_string(), SEVEN);
        assert_eq!(seven.cmp(&eight), Ordering::Equal);
        assert_eq!(HashSet::from([seven, eight]).len(), 1);
        let alias: FunctionUrn = format!("{SEVEN}:!prod").parse().unwrap();
        assert_eq!((alias.qualifier(), alias.to_string()), ("!prod", format!("{SEVEN}:!prod")));
    }

    #[test]
    fn a_function_is_asked_as_it_was_given_and_has_one_other_form() {
        for (given, other) in [
            (SEVEN.to_owned(), format!("{SEVEN}:latest")),
            (format!("{SEVEN}:latest"), SEVEN.into()),
        ] {
            let urn: FunctionUrn = given.parse().unwrap();
            assert_eq!(urn.as_given(), given);
            assert_eq!(urn.other_form().map(|urn| urn.as_given()), Some(other));
        }
        for qualifier in ["!prod", "v1", "!latest", "LATEST"] {
            let urn: FunctionUrn = format!("{SEVEN}:{qualifier}").parse().unwrap();
            assert_eq!((urn.as_given(), urn.other_form()), (format!("{SEVEN}:{qualifier}"), None));
        }
    }

    #[test]
    fn short_names_stand_for_a_function_of_the_project() {
        let short: FunctionRef = "report".parse().unwrap();
        assert_eq!(short.resolve("cn-north-4", "0123").to_string(), SEVEN);
        let packaged: FunctionRef = "billing:report".parse().unwrap();
        assert_eq!(packaged.resolve("cn-north-4", "0123").package(), "billing");
        for full_name in ["billing:report:v1", "default:report:!prod", "default:report"] {
            let function: FunctionRef = full_name.parse().unwrap();
            assert_eq!(function.resolve("cn-north-4", "0123").full_name(), full_name);
        }
    }

    #[test]
    fn a_full_name_tells_a_version_that_is_not_the_latest() {
        let name = |rest: &str| {
            format!("urn:fss:cn-north-4:0123:function:{rest}")
                .parse::<FunctionUrn>()
                .unwrap()
                .full_name()
        };
        assert_eq!(name("default:report"), "default:report");
        assert_eq!(name("billing:report:latest"), "billing:report");
        assert_eq!(name("default:report:!prod"), "default:report:!prod");
    }

    #[test]
    fn refuses_what_names_no_function() {
        for text in [
            "",
            "a b",
            "a:b:c:d",
            "a::c",
            "urn:fss:x",
            "urn:fss:r:p:function:d:",
            "urn:obs:r:p:function:d:n",
            "../x",
            "a?b",
            "a\nb",
        ] {
            assert!(text.parse::<FunctionRef>().is_err(), "{text:?}");
        }
        assert!("report".parse::<FunctionUrn>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(FunctionRef::Urn(urn)) = text.parse() {
                prop_assert_eq!(urn.to_string().parse(), Ok(urn));
            }
        }

        /// Texts that are nearly URNs: what is read says the same again, and can stand in a path as
        /// it is.
        #[test]
        fn what_is_nearly_a_urn_is_read_rightly_or_refused(
            fields in prop::collection::vec(
                prop_oneof![
                    "urn|fss|function|latest|default|!prod",
                    "[a-z/?# \n]{0,4}",
                    "\\PC{0,4}",
                ],
                5..10,
            ),
            known: bool,
        ) {
            let mut fields = fields;
            if known {
                fields.splice(0..2, ["urn".to_owned(), "fss".to_owned()]);
                fields[4] = "function".to_owned();
            }
            let text = fields.join(":");
            if let Ok(urn) = text.parse::<FunctionUrn>() {
                prop_assert!(
                    text == urn.to_string() || text == format!("{urn}:{LATEST}"),
                    "{}",
                    text
                );
                prop_assert!(
                    !text.contains(|c: char| c.is_whitespace()
                        || c.is_control()
                        || "/?#".contains(c)),
                    "{}",
                    text
                );
                prop_assert_eq!(urn.to_string().parse(), Ok(urn));
            } else {
                let whole = (7..=8).contains(&text.split(':').count())
                    && text.split(':').all(|field| !field.is_empty());
                let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || ":!".contains(c));
                prop_assert!(!(known && whole && plain), "{}", text);
            }
        }
    }
}
