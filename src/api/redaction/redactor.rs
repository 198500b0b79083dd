//! Covers secrets in texts.

use super::finder::{Finder, Parts};
use super::forms::{Form, Scope};
use super::layers::{self, End, Kind};
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// What stands in the place of a secret: the first of these that is no part of one.
const MARKS: [&str; 3] = ["[REDACTED]", "***", ""];

/// A longer text that mentions a secret is covered as a whole: telling the places takes several
/// times its length in memory.
pub(super) const LONGEST_MAPPED: usize = 1024 * 1024;

/// The most letters at the end of a text that was cut off which may be the beginning of a spelling.
const LONGEST_OPEN: usize = 16;

/// Covers secrets in texts.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Nothing where there is no secret to look for.
    finder: Option<Finder>,
    mark: &'static str,
}

/// Debug output shows none of the secrets.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Covers these secrets.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let finder = Finder::new(secrets.into_iter().map(ExposeSecret::expose_secret));
        let unmarked = Self { finder, mark: "" };
        let mark = MARKS.into_iter().find(|mark| !unmarked.mentions(mark)).unwrap_or_default();
        Self { mark, ..unmarked }
    }

    /// What stands in the place of a secret.
    pub(crate) fn mark(&self) -> &'static str {
        self.mark
    }

    /// Whether words show a secret.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.is_in(text.as_bytes(), Kind::Plain, Scope::Words)
    }

    /// Whether a text or anything beneath it shows a secret. What is too deep to tell counts as
    /// such.
    pub(super) fn is_in(&self, text: &[u8], kind: Kind, scope: Scope) -> bool {
        let Some(finder) = &self.finder else { return false };
        layers::read(text, kind, false, &mut |layer| finder.is_in(layer.bytes, scope))
            != End::Bottom
    }

    /// Whether a text shows a secret as it is written.
    pub(super) fn is_seen_in(&self, text: &[u8]) -> bool {
        self.finder.as_ref().is_some_and(|finder| finder.is_in(text, Scope::Words))
    }

    /// Words without secrets.
    pub(crate) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redact_as(Scope::Words, text)
    }

    /// A text without secrets.
    pub(crate) fn redact_as<'t>(&self, scope: Scope, text: &'t str) -> Cow<'t, str> {
        self.redact_places(text, Kind::Plain, scope, |places| places)
    }

    /// Texts that are shown side by side, in this order, without secrets: one may begin in the
    /// first and end in the last.
    pub(crate) fn redact_together<const N: usize>(
        &self,
        texts: [(Scope, Option<Box<str>>); N],
    ) -> [Option<Box<str>>; N] {
        let all = texts.each_ref().map(|(_, text)| text.as_deref().unwrap_or_default()).join("\n");
        if !self.mentions(&all) {
            return texts.map(|(_, text)| text);
        }
        if all.len() > LONGEST_MAPPED {
            return texts.map(|(_, text)| text.map(|_| self.mark.into()));
        }
        let places = [Scope::Words, Scope::Values]
            .map(|scope| self.places(all.as_bytes(), Kind::Plain, scope));
        let mut begin = 0;
        texts.map(|(scope, text)| {
            let text = text.unwrap_or_default();
            let here = begin..begin + text.len();
            begin = here.end + 1;
            let places = &places[usize::from(scope == Scope::Values)];
            let places = places.iter().filter_map(|place| part_of(place, &here)).collect();
            let redacted = self.covered(&text, Kind::Plain, scope, places);
            (!text.is_empty()).then(|| redacted.into())
        })
    }

    /// A text that was cut off: the beginning of a secret at its end is covered as well.
    pub(crate) fn redact_cut<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact(text) {
            Cow::Owned(text) => Cow::Owned(self.without_cut_end(&text).to_owned()),
            Cow::Borrowed(text) => Cow::Borrowed(self.without_cut_end(text)),
        }
    }

    fn without_cut_end<'t>(&self, text: &'t str) -> &'t str {
        // An escape or a tag that is cut itself may hold the secret's next letter, or hide it.
        let is_open = |letter| matches!(letter, '\\' | '%' | '&' | '<');
        let open = text
            .char_indices()
            .rev()
            .take(LONGEST_OPEN)
            .filter(|(_, letter)| is_open(*letter))
            .last();
        let text = &text[..open.map_or(text.len(), |(at, _)| at)];
        &text[..text.floor_char_boundary(self.begun_at(text.as_bytes()))]
    }

    /// Where a secret begins that the end of a text cuts off; the end if there is none.
    fn begun_at(&self, text: &[u8]) -> usize {
        let mut begun = text.len();
        let Some(finder) = &self.finder else { return begun };
        let _ = layers::read(text, Kind::Plain, true, &mut |layer| {
            let here =
                finder.begun_at(layer.bytes).map(|at| layer.source_of(at..layer.bytes.len()).start);
            begun = here.map_or(begun, |at| begun.min(at));
            false
        });
        begun
    }

    /// A text without the places where secrets stand, which `widen` may make longer.
    pub(super) fn redact_places<'t>(
        &self,
        text: &'t str,
        kind: Kind,
        scope: Scope,
        widen: impl FnOnce(Vec<Range<usize>>) -> Vec<Range<usize>>,
    ) -> Cow<'t, str> {
        if !self.is_in(text.as_bytes(), kind, scope) {
            return Cow::Borrowed(text);
        }
        if text.len() > LONGEST_MAPPED {
            return Cow::Borrowed(self.mark);
        }
        let places = widen(self.places(text.as_bytes(), kind, scope));
        Cow::Owned(self.covered(text, kind, scope, places))
    }

    fn covered(&self, text: &str, kind: Kind, scope: Scope, places: Vec<Range<usize>>) -> String {
        let covered = replaced(text, self.mark, places);
        // What is left may stand together with the mark so that it reads like a secret again.
        if self.is_in(covered.as_bytes(), kind, scope) { self.mark.to_owned() } else { covered }
    }

    /// Where secrets and parts of those secrets stand in a text, in no order.
    fn places(&self, text: &[u8], kind: Kind, scope: Scope) -> Vec<Range<usize>> {
        let Some(finder) = &self.finder else { return Vec::new() };
        let (mut places, mut seen) = (Vec::new(), BTreeSet::<&Form>::new());
        let end = layers::read(text, kind, true, &mut |layer| {
            for mention in finder.mentions(layer.bytes, scope) {
                places.push(layer.source_of(mention.place));
                seen.insert(mention.form);
            }
            false
        });
        if end == End::TooDeep {
            places.push(0..text.len());
            return places;
        }
        let parts = Parts::of(seen);
        let _ = layers::read(text, kind, true, &mut |layer| {
            places
                .extend(parts.places(layer.bytes).into_iter().map(|place| layer.source_of(place)));
            false
        });
        places
    }
}

/// What of a place lies within another, counted from its begin.
fn part_of(place: &Range<usize>, within: &Range<usize>) -> Option<Range<usize>> {
    let (start, end) = (place.start.max(within.start), place.end.min(within.end));
    (start < end).then(|| start - within.start..end - within.start)
}

/// A text with a mark in each of these places.
fn replaced(text: &str, mark: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_unstable_by_key(|place| place.start);
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    for place in places {
        let (start, end) =
            (text.floor_char_boundary(place.start), text.ceil_char_boundary(place.end));
        if start >= done {
            replaced.push_str(&text[done..start]);
            replaced.push_str(mark);
        }
        done = done.max(end);
    }
    replaced.push_str(&text[done..]);
    replaced
}
