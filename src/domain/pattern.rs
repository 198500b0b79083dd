//! Patterns of functions' names, and the choice that several of them make together.

use super::urn::{DEFAULT_PACKAGE, FunctionUrn};
use std::fmt;
use std::str::FromStr;
use wildmatch::WildMatch;

/// A glob of `package:name[:version]`: `*` stands for any characters, `?` for one.
///
/// A name without a package is one of the package `default`, as it is where a function is named;
/// `*` alone is every function. Without a version the pattern is about all that is listed of a
/// function, versions and aliases as well.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionPattern {
    text: String,
    package: WildMatch,
    name: WildMatch,
    qualifier: Option<WildMatch>,
}

/// A text that is no pattern of a function's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern of `package:name[:version]`")]
pub struct UnreadablePattern(String);

impl FunctionPattern {
    /// Whether a function is one of those that are meant.
    pub fn matches(&self, urn: &FunctionUrn) -> bool {
        self.matches_name(urn.package(), urn.name(), urn.qualifier())
    }

    /// The same for a function whose project is not known.
    pub fn matches_name(&self, package: &str, name: &str, qualifier: &str) -> bool {
        let is_qualifier = self.qualifier.as_ref().is_none_or(|known| known.matches(qualifier));
        is_qualifier && self.package.matches(package) && self.name.matches(name)
    }

    /// Whether a text is a pattern rather than a name.
    pub fn is_glob(text: &str) -> bool {
        text.contains(['*', '?'])
    }
}

impl fmt::Display for FunctionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FunctionPattern {
    type Err = UnreadablePattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || UnreadablePattern(text.chars().take(300).collect());
        let fields: Vec<&str> = text.split(':').collect();
        let is_readable = |field: &&str| {
            !field.is_empty() && !field.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if !fields.iter().all(is_readable) {
            return Err(unreadable());
        }
        let (package, name, qualifier) = match fields[..] {
            ["*"] => ("*", "*", None),
            [name] => (DEFAULT_PACKAGE, name, None),
            [package, name] => (package, name, None),
            [package, name, qualifier] if package != "urn" => (package, name, Some(qualifier)),
            _ => return Err(unreadable()),
        };
        Ok(Self {
            text: text.to_owned(),
            package: WildMatch::new(package),
            name: WildMatch::new(name),
            qualifier: qualifier.map(WildMatch::new),
        })
    }
}

/// Which of the functions that a project lists are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionFilter {
    /// Those that match one of these; all, where there are none.
    pub include: Vec<FunctionPattern>,
    /// Less those that match one of these.
    pub exclude: Vec<FunctionPattern>,
}

impl FunctionFilter {
    /// Whether a function is meant.
    pub fn admits(&self, urn: &FunctionUrn) -> bool {
        let is_named = |patterns: &[FunctionPattern]| patterns.iter().any(|it| it.matches(urn));
        (self.include.is_empty() || is_named(&self.include)) && !is_named(&self.exclude)
    }

    /// The patterns that name a function to archive and match none of these.
    pub fn idle<'a>(&'a self, functions: &[FunctionUrn]) -> Vec<&'a FunctionPattern> {
        let is_idle = |it: &&FunctionPattern| !functions.iter().any(|urn| it.matches(urn));
        self.include.iter().filter(is_idle).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    const NAMES: [&str; 6] = [
        "default:report",
        "default:test-report",
        "billing:invoice-mail",
        "billing:invoice-mail:v2",
        "api:orders:!prod",
        "api:orders",
    ];

    fn urn(name: &str) -> FunctionUrn {
        format!("urn:fss:r:p:function:{name}").parse().unwrap()
    }

    fn patterns(texts: &str) -> Vec<FunctionPattern> {
        texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_pattern_means_what_the_same_name_would() {
        for (include, exclude, meant) in [
            ("", "", vec![0, 1, 2, 3, 4, 5]),
            ("*", "", vec![0, 1, 2, 3, 4, 5]),
            ("*:*", "*:test-*", vec![0, 2, 3, 4, 5]),
            ("re*", "", vec![0]),
            ("default:*", "", vec![0, 1]),
            ("billing:invoice-*", "", vec![2, 3]),
            ("billing:*:v?", "", vec![3]),
            ("api:*:latest", "", vec![5]),
            ("*:orders:!*", "", vec![4]),
            ("*", "*:*:!*", vec![0, 1, 2, 3, 5]),
            ("Default:*", "", vec![]),
            ("default:* api:*", "api:orders", vec![0, 1]),
            ("", "*", vec![]),
        ] {
            let filter = FunctionFilter { include: patterns(include), exclude: patterns(exclude) };
            let of = |place: &usize| filter.admits(&urn(NAMES[*place]));
            let found: Vec<usize> = (0..NAMES.len()).filter(of).collect();
            assert_eq!(found, meant, "{include} without {exclude}");
        }
    }

    #[test]
    fn a_pattern_that_meets_nothing_is_named() {
        let filter = FunctionFilter {
            include: patterns("default:* shop:* *:nobody"),
            exclude: patterns("never:*"),
        };
        let listed: Vec<FunctionUrn> = NAMES.into_iter().map(urn).collect();
        let idle: Vec<String> = filter.idle(&listed).into_iter().map(ToString::to_string).collect();
        assert_eq!(idle, ["shop:*", "*:nobody"]);
    }

    #[test]
    fn what_no_function_could_be_named_by_is_no_pattern() {
        for text in ["", ":", "a:", ":a", "a b", "a:b:c:d", "urn:fss:*", "a\n"] {
            let unreadable = text.parse::<FunctionPattern>().unwrap_err().to_string();
            assert_eq!(unreadable, format!("`{text}` is no pattern of `package:name[:version]`"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_and_taken_once_as_itself(text in "[a-c*?:!-]{0,12}") {
            if let Ok(pattern) = text.parse::<FunctionPattern>() {
                prop_assert_eq!(pattern.to_string(), text);
                let _ = pattern.matches_name("a", "bc", "latest");
            }
        }
    }
}
