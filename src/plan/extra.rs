//! The fields this program does not know, of one record as stored and as seen: one JSON object
//! each, merged field by field.
//!
//! The texts are taken apart and put together as they are written: a value is never read, so none
//! is rewritten.

use std::collections::HashMap;

/// What stands of two objects, and what did not go without saying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    /// The object that stands; none where there is none.
    pub(super) stands: Option<Box<str>>,
    /// Stored fields that were not shown, or shown as nothing: they stand.
    pub(super) missed: Option<Box<str>>,
    /// Stored fields that were shown with other values, and those values, which stand.
    pub(super) replaced: Option<(Box<str>, Box<str>)>,
}

/// Merges what was seen into what is stored; none where one of them is no JSON object.
///
/// A field stands until it is shown with another value. An older sighting (`fills_only`) adds what
/// was not known, and changes nothing.
pub(super) fn merge(stored: Option<&str>, seen: Option<&str>, fills_only: bool) -> Option<Merged> {
    let (before, after) =
        (Object::read(stored.unwrap_or("{}"))?, Object::read(seen.unwrap_or("{}"))?);
    let learnt: Vec<Member<'_>> =
        after.members().filter(|(name, value)| before.lacks(name) && !is_nothing(value)).collect();
    let known = || before.members().filter(|(_, value)| !is_nothing(value));
    let missed = known().filter(|(name, _)| after.lacks(name));
    let differs = |(name, value): &Member<'_>| {
        !fills_only && !after.lacks(name) && after.value(name) != Some(*value)
    };
    let replaced: Vec<Member<'_>> = known().filter(differs).collect();
    let others = replaced.iter().filter_map(|(name, _)| Some((*name, after.value(name)?)));
    let stands = if stored.is_none() {
        seen.filter(|_| !learnt.is_empty()).map(Into::into)
    } else if learnt.is_empty() && replaced.is_empty() {
        stored.map(Into::into)
    } else {
        let news: HashMap<&str, &str> = learnt.iter().copied().chain(others.clone()).collect();
        let kept =
            before.members().map(|(name, value)| (name, news.get(name).copied().unwrap_or(value)));
        write(kept.chain(learnt.iter().copied().filter(|(name, _)| before.value(name).is_none())))
    };
    Some(Merged {
        stands,
        missed: write(missed),
        replaced: write(replaced.iter().copied()).zip(write(others)),
    })
}

/// The name of a field in quotes, and its value, both as they are written.
type Member<'a> = (&'a str, &'a str);

/// A JSON object, its names in the order in which they came. Of a name given twice the last value
/// counts.
struct Object<'a> {
    names: Vec<&'a str>,
    values: HashMap<&'a str, &'a str>,
}

impl<'a> Object<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
        let mut object = Self { names: Vec::new(), values: HashMap::new() };
        for member in split(inside, b',').into_iter().filter(|member| !member.trim().is_empty()) {
            let name = *split(member, b':').first()?;
            let (name, value) = (name.trim(), member.get(name.len() + 1..)?.trim());
            if object.values.insert(name, value).is_none() {
                object.names.push(name);
            }
        }
        Some(object)
    }

    fn members(&self) -> impl Iterator<Item = Member<'a>> {
        self.names.iter().filter_map(|name| Some((*name, self.value(name)?)))
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).copied()
    }

    /// Whether nothing is known of a field.
    fn lacks(&self, name: &str) -> bool {
        self.value(name).is_none_or(is_nothing)
    }
}

/// Writers put `null` or an empty text where they have no value.
fn is_nothing(value: impl AsRef<str>) -> bool {
    matches!(value.as_ref(), "null" | "\"\"")
}

/// Cuts at a separator that stands in no text, list or object. Not recursive: a value may be nested
/// as deeply as it likes.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut is_text, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ if byte == separator && depth == 0 => {
                parts.extend(text.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(from..));
    parts
}

/// The object of these members; none where there are none.
fn write<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Option<Box<str>> {
    let mut text = String::new();
    for (name, value) in members {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(name);
        text.push(':');
        text.push_str(value);
    }
    (!text.is_empty()).then(|| (text + "}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What stands, what was missed, what was replaced, and by what; `-` for nothing.
    fn merged(stored: &str, seen: &str, fills_only: bool) -> [String; 4] {
        let some = |text: &'static str| (text != "-").then_some(text);
        let [stored, seen] = [stored, seen].map(|text| some(Box::leak(text.into())));
        let Merged { stands, missed, replaced } = merge(stored, seen, fills_only).unwrap();
        let (stood, shown) = replaced.unzip();
        [stands, missed, stood, shown].map(|text| text.map_or_else(|| "-".to_owned(), Into::into))
    }

    #[test]
    fn a_field_stands_until_it_is_shown_with_another_value() {
        for (stored, seen, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#, [r#"{"a":1}"#, "-", "-", "-"]),
            (r#"{"a":1}"#, "-", [r#"{"a":1}"#, r#"{"a":1}"#, "-", "-"]),
            (r#"{"a":1,"b":2}"#, r#"{"b":2}"#, [r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "-", "-"]),
            (r#"{"a":1}"#, r#"{"a":null}"#, [r#"{"a":1}"#, r#"{"a":1}"#, "-", "-"]),
            (r#"{"a":"x"}"#, r#"{"a":""}"#, [r#"{"a":"x"}"#, r#"{"a":"x"}"#, "-", "-"]),
            (
                r#"{"a":1,"b":2}"#,
                r#"{"b":3}"#,
                [r#"{"a":1,"b":3}"#, r#"{"a":1}"#, r#"{"b":2}"#, r#"{"b":3}"#],
            ),
            (r#"{"a":null}"#, r#"{"a":1}"#, [r#"{"a":1}"#, "-", "-", "-"]),
            (r#"{"a":null}"#, "-", [r#"{"a":null}"#, "-", "-", "-"]),
            (r#"{"a":1}"#, r#"{"b":2,"a":1}"#, [r#"{"a":1,"b":2}"#, "-", "-", "-"]),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, [r#"{"a":1,"b":2}"#, "-", "-", "-"]),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, [r#"{"a":1}"#, "-", "-", "-"]),
            ("-", r#"{"a": [1, "}"]}"#, [r#"{"a": [1, "}"]}"#, "-", "-", "-"]),
            ("-", r#"{"a":null}"#, ["-", "-", "-", "-"]),
            ("-", "-", ["-", "-", "-", "-"]),
            (r#"{"a":1,"a":2}"#, r#"{"a":3}"#, [r#"{"a":3}"#, "-", r#"{"a":2}"#, r#"{"a":3}"#]),
        ] {
            assert_eq!(merged(stored, seen, false), expected, "{stored} seen as {seen}");
        }
    }

    #[test]
    fn an_older_sighting_adds_and_changes_nothing() {
        let expected = [r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2}"#, "-", "-"];
        assert_eq!(merged(r#"{"a":1,"b":2}"#, r#"{"a":9,"c":3}"#, true), expected);
    }

    #[test]
    fn what_is_no_object_is_not_merged() {
        for text in ["", "5", "[1]", "{\"a\"}", "{"] {
            assert_eq!(merge(Some(text), None, false), None, "{text}");
            assert_eq!(merge(None, Some(text), false), None, "{text}");
        }
    }

    #[test]
    fn a_deep_or_tricky_value_is_one_value() {
        let deep = format!("{}{}", "[{\"a\":".repeat(100_000), "}]".repeat(100_000));
        for value in [&*deep, r#""a\",b:c\\""#, r#"{"x":"}","y":[1,{"z":","}]}"#, r#""\ud800""#] {
            let stored = format!(r#"{{"k\"e,y:":{value},"n":1}}"#);
            let merged = merge(Some(&stored), Some(r#"{"n":2}"#), false).unwrap();
            assert_eq!(merged.stands.as_deref(), Some(&*format!(r#"{{"k\"e,y:":{value},"n":2}}"#)));
        }
    }

    fn members(text: &str) -> BTreeMap<String, String> {
        let known = |(name, value): Member<'_>| {
            (!is_nothing(value)).then(|| (name.to_owned(), value.to_owned()))
        };
        Object::read(text).unwrap().members().filter_map(known).collect()
    }

    fn object() -> impl Strategy<Value = Option<String>> {
        let member =
            ("[a-d]", prop::sample::select(vec!["1", "2", "null", "\"\"", "\"x\"", "[1,2]"]));
        let object = prop::collection::vec(member, 0..5).prop_map(|members| {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
            format!("{{{}}}", members.join(","))
        });
        prop::option::of(object)
    }

    proptest! {
        /// Nothing known is lost, the new values stand, and merging the same again changes nothing.
        #[test]
        fn what_was_known_is_still_known(stored in object(), seen in object()) {
            let merged = merge(stored.as_deref(), seen.as_deref(), false).unwrap();
            let of = |text: Option<&str>| members(text.unwrap_or("{}"));
            let (before, shown, after) =
                (of(stored.as_deref()), of(seen.as_deref()), of(merged.stands.as_deref()));
            for name in before.keys().chain(shown.keys()) {
                prop_assert_eq!(after.get(name), shown.get(name).or(before.get(name)));
            }
            prop_assert_eq!(
                after.len(),
                before.keys().chain(shown.keys()).collect::<std::collections::BTreeSet<_>>().len()
            );
            let again = merge(merged.stands.as_deref(), seen.as_deref(), false).unwrap();
            prop_assert_eq!((again.stands, again.replaced), (merged.stands, None));
        }

        #[test]
        fn any_text_is_merged_or_left(
            stored in "\\PC{0,20}|[{}\\[\\]\",:a\\\\]{0,12}",
            seen in object(),
        ) {
            let _ = merge(Some(&stored), seen.as_deref(), false);
        }
    }
}
