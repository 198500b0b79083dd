//! What a request asks for, by the path and the query of its address.

use percent_encoding::percent_decode_str;

/// The names and values of a query, in the order in which they stand there; those without a value
/// count as not given, as a form sends them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The page.
    Page,
    /// The records, a screen of them at a time.
    Records,
    /// One record, by the id in the query.
    Record,
    /// What a report answers, as JSON.
    Report(String),
    /// Whether the archive can be read.
    Health,
}

impl Place {
    /// What a path leads to; nothing where it leads nowhere.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/" => return Some(Self::Page),
            "/records" => return Some(Self::Records),
            "/record" => return Some(Self::Record),
            "/healthz" => return Some(Self::Health),
            _ => {}
        }
        let name = path.strip_prefix("/api/")?.strip_suffix(".json")?;
        let is_one = !name.is_empty() && !name.contains('/');
        is_one.then(|| Self::Report(percent_decode_str(name).decode_utf8_lossy().into_owned()))
    }
}

impl Query {
    /// Reads a query as a form writes it (the URL standard, 5.1).
    pub(super) fn read(query: &str) -> Self {
        let text = |part: &str| {
            percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.filter(|(_, value)| !value.is_empty());
        Self(pairs.map(|(name, value)| (text(name), text(value))).collect())
    }

    /// The last value of a name, as with every option.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(super) fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The others than these.
    pub(super) fn without(&self, names: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(|(name, _)| !names.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn a_path_leads_to_one_place_or_nowhere() {
        for (path, place) in [
            ("/", Some(Place::Page)),
            ("/records", Some(Place::Records)),
            ("/healthz", Some(Place::Health)),
            ("/record", Some(Place::Record)),
            ("/api/summary.json", Some(Place::Report("summary".to_owned()))),
            ("/api/%2e%2e.json", Some(Place::Report("..".to_owned()))),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
        for nowhere in ["", "//", "/record/", "/api/a/b.json", "/api/summary", "/api/.json", "/x"] {
            assert_eq!(Place::of(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_query_is_read_as_a_form_writes_it() {
        let query =
            Query::read("function=billing%3A*&since=&function=a+b&tz=Europe%2FBerlin&x&limit=3");
        assert_eq!(query.all("function").collect::<Vec<_>>(), ["billing:*", "a b"]);
        assert_eq!((query.last("function"), query.last("since")), (Some("a b"), None));
        let others: Vec<_> = query.without(&["function", "tz"]).collect();
        assert_eq!(others, [("limit", "3")]);
        assert_eq!(Query::read(""), Query::default());
        assert_eq!(Query::read("a=%ff").last("a"), Some("\u{fffd}"));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_read(path in any::<String>(), query in any::<String>()) {
            let _ = Place::of(&path);
            let _ = Query::read(&query);
        }
    }
}
