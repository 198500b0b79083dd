//! Finds the forms of secrets in a text as it is written.

use super::forms::{Form, Scope, forms};
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

/// Where a text ends within a secret, what is left of the secret is covered if it has at least so
/// many bytes.
const SHORTEST_CUT: usize = 3;

/// The fewest bytes that count as a part of a secret, in a text that shows its beginning.
const SHORTEST_PART: usize = 8;

/// Finds secrets by the prefixes of all their forms.
#[derive(Clone)]
pub(super) struct Finder {
    /// A quick search that tells whether there is any secret at all. It does not find each one.
    sieve: AhoCorasick,
    prefixes: AhoCorasick,
    /// The forms of each prefix, in the order of `prefixes`.
    forms: Vec<Vec<Form>>,
}

/// A form that stands somewhere.
pub(super) struct Mention<'f> {
    pub(super) place: Range<usize>,
    pub(super) form: &'f Form,
}

impl Finder {
    /// Finds these secrets; none where there is nothing to look for.
    pub(super) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Option<Self> {
        let forms: BTreeSet<Form> = secrets.flat_map(forms).collect();
        let mut by_prefix: BTreeMap<Box<[u8]>, Vec<Form>> = BTreeMap::new();
        for form in forms {
            by_prefix.entry(form.prefix().into()).or_default().push(form);
        }
        if by_prefix.is_empty() {
            return None;
        }
        // Building fails only for patterns of gigabytes; a program that cannot cover its secrets
        // has none.
        let prefixes = AhoCorasick::new(by_prefix.keys()).ok()?;
        let sieve = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(by_prefix.keys())
            .ok()?;
        Some(Self { sieve, prefixes, forms: by_prefix.into_values().collect() })
    }

    /// Whether a secret stands in a text.
    pub(super) fn is_in(&self, text: &[u8], scope: Scope) -> bool {
        self.mentions(text, scope).next().is_some()
    }

    /// Where secrets stand in a text, in no order.
    pub(super) fn mentions<'f, 't>(
        &'f self,
        text: &'t [u8],
        scope: Scope,
    ) -> impl Iterator<Item = Mention<'f>> + use<'f, 't> {
        let text_with_some = if self.sieve.is_match(text) { text } else { &[] };
        self.prefixes.find_overlapping_iter(text_with_some).flat_map(move |found| {
            let forms =
                self.forms[found.pattern().as_usize()].iter().filter(move |form| form.is_of(scope));
            forms.filter_map(move |form| {
                let place = found.start()..found.start() + form.length_at(text, found.start())?;
                Some(Mention { place, form })
            })
        })
    }

    /// Where a secret begins that the end of a text cuts off; none if there is no such.
    pub(super) fn begun_at(&self, text: &[u8]) -> Option<usize> {
        let begun = |form: &Form| {
            let lengths = (SHORTEST_CUT..form.prefix().len()).rev();
            lengths.into_iter().find(|length| text.ends_with(&form.bytes()[..*length]))
        };
        self.forms.iter().flatten().filter_map(begun).max().map(|length| text.len() - length)
    }
}

/// What tells the parts of some secrets, where their beginning has been seen. A text may be folded
/// with anything; what of a long secret follows then has no beginning of its own.
pub(super) struct Parts<'f>(HashSet<&'f [u8]>);

impl<'f> Parts<'f> {
    pub(super) fn of(forms: impl IntoIterator<Item = &'f Form>) -> Self {
        let forms = forms.into_iter().filter(|form| form.is_long());
        Self(forms.flat_map(|form| form.bytes().windows(SHORTEST_PART)).collect())
    }

    /// Where parts stand in a text.
    pub(super) fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let found = text
            .windows(SHORTEST_PART)
            .enumerate()
            .filter(|(_, part)| self.0.contains(part))
            .map(|(at, _)| at);
        found.fold(Vec::new(), |mut places: Vec<Range<usize>>, at| {
            match places.last_mut().filter(|last| at <= last.end) {
                Some(last) => last.end = at + SHORTEST_PART,
                None => places.push(at..at + SHORTEST_PART),
            }
            places
        })
    }
}
