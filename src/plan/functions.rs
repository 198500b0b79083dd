//! Which functions a run is about, which of them are gone, and which have come back.
//!
//! A function that was archived is gone where a list that is whole leaves it out, or where the
//! service does not find it in either form of its URN although no list holds it. Nothing is lost by
//! a mistake in that: what is listed or answers again goes on where it was, and the time between is
//! walked like any other that is pending.

use super::ledger::{Entry, State};
use super::reach::LEAST_REACH;
use crate::domain::{FunctionFilter, FunctionUrn, Interval, IntervalSet, Timestamp};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A region's project, which a list of functions speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The region's id.
    pub region: String,
    /// The project's id.
    pub id: String,
}

impl Project {
    /// Whether a function is one of its own.
    pub fn holds(&self, urn: &FunctionUrn) -> bool {
        urn.region() == self.region && urn.project_id() == self.id
    }
}

/// What the archive knows of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its URN, in the form that was answered last.
    pub urn: FunctionUrn,
    /// Whether a run set out to archive it, so that it is told of until it is there, gone, or found
    /// to be unknown.
    pub is_archived: bool,
    /// Since when it is gone.
    pub gone_at: Option<Timestamp>,
    /// From where on runs set out to archive it, if any did.
    pub horizon_begin: Option<Timestamp>,
    /// Whether a list ever held it, of a version or alias.
    pub was_listed: bool,
}

/// Whether a function is a version or an alias of one, which few lists hold.
fn is_variant(urn: &FunctionUrn) -> bool {
    urn.other_form().is_none()
}

/// The list of a project's functions.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// What it holds.
    pub functions: &'a [FunctionUrn],
    /// Whether it is proven, and all of it can be read.
    pub is_whole: bool,
    /// Whose list it is, where that is known.
    pub project: Option<&'a Project>,
    /// Which of its functions the run is about.
    pub wanted: &'a FunctionFilter,
}

impl List<'_> {
    /// Whether it tells by leaving a function out that there is none.
    fn judges(&self, urn: &FunctionUrn, was_listed: bool) -> bool {
        self.is_whole && self.speaks_of(urn, was_listed)
    }

    /// Whether it should hold what is known of and wanted, as far as the archive can tell.
    fn expects(&self, known: &Known) -> bool {
        let is_there = known.is_archived && known.gone_at.is_none();
        is_there && self.wanted.admits(&known.urn) && self.speaks_of(&known.urn, known.was_listed)
    }

    /// Whether it should hold a function: versions and aliases only where one held them before.
    fn speaks_of(&self, urn: &FunctionUrn, was_listed: bool) -> bool {
        let is_expected = was_listed || !is_variant(urn);
        is_expected && self.project.is_some_and(|project| project.holds(urn))
    }
}

/// What a run does for a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is pending is asked for.
    Archive,
    /// The same; it was gone, and is listed again.
    Return,
    /// It was gone, and one request tells whether it still is.
    Look,
    /// It is gone, and nothing is asked.
    Rest,
    /// A whole list leaves it out: what is pending is asked for a last time.
    Farewell,
}

/// A function and its part in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The function.
    pub urn: FunctionUrn,
    /// What is done for it.
    pub part: Part,
    /// Whether the list holds it.
    pub is_listed: bool,
    /// Whether that is worth noting: a list holds this version or alias for the first time.
    pub is_first_listed: bool,
}

/// The functions of a run, each once: those that were named, those that are listed and wanted, and
/// those archived ones that the list should hold. Of those that are gone, the ones that nobody
/// speaks of are left out.
pub fn choose(named: &[FunctionUrn], list: Option<List<'_>>, known: &[Known]) -> Vec<Choice> {
    let listed: HashSet<&FunctionUrn> = list.iter().flat_map(|list| list.functions).collect();
    let by_urn: HashMap<&FunctionUrn, &Known> =
        known.iter().map(|known| (&known.urn, known)).collect();
    let left_out = known.iter().filter(|known| list.is_some_and(|list| list.expects(known)));
    let is_wanted = |urn: &&FunctionUrn| list.is_none_or(|list| list.wanted.admits(urn));
    let wanted = list.map_or(&[][..], |list| list.functions).iter().filter(is_wanted);
    let mut chosen = HashSet::new();
    let all = named.iter().chain(wanted).chain(left_out.map(|known| &known.urn));
    all.filter(|urn| chosen.insert(*urn))
        .map(|urn| {
            let is_listed = listed.contains(urn);
            let known = by_urn.get(urn).copied();
            let was_listed = known.is_some_and(|known| known.was_listed);
            let is_left_out = !is_listed && list.is_some_and(|list| list.judges(urn, was_listed));
            let is_first_listed = is_listed && !was_listed && is_variant(urn);
            Choice {
                urn: urn.clone(),
                part: part(known, is_listed, is_left_out),
                is_listed,
                is_first_listed,
            }
        })
        .collect()
}

/// The functions that are gone and that a list, by leaving them out, shows to be so still.
pub fn still_left_out(list: List<'_>, known: &[Known]) -> Vec<FunctionUrn> {
    let listed: HashSet<&FunctionUrn> = list.functions.iter().collect();
    let is_left_out = |known: &&Known| {
        known.gone_at.is_some()
            && !listed.contains(&known.urn)
            && list.judges(&known.urn, known.was_listed)
    };
    known.iter().filter(is_left_out).map(|known| known.urn.clone()).collect()
}

fn part(known: Option<&Known>, is_listed: bool, is_left_out: bool) -> Part {
    let is_gone = known.is_some_and(|known| known.gone_at.is_some());
    match (is_gone, is_left_out && known.is_some_and(|known| is_gone || known.is_archived)) {
        (true, _) if is_listed => Part::Return,
        (true, true) => Part::Rest,
        (true, false) => Part::Look,
        (false, true) => Part::Farewell,
        (false, false) => Part::Archive,
    }
}

/// Whether a list leaves out so much that it may be of another project, or shortened for want of
/// rights: more than half of what it should hold. Then it takes no function away that still
/// answers.
pub fn needs_witness(choices: &[Choice], list: Option<List<'_>>, known: &[Known]) -> bool {
    let is_expected = |known: &&Known| list.is_some_and(|list| list.expects(known));
    let left_out = choices.iter().filter(|choice| choice.part == Part::Farewell).count();
    2 * left_out > known.iter().filter(is_expected).count()
}

/// A record that began within this time and came for the first time shows that its function goes
/// on.
pub const YOUNG_FOR: Duration = Duration::from_hours(24);

/// How the service answered to a function's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// All of them.
    All,
    /// It does not know the function.
    NotFound,
    /// Some failed in another way, or were never sent.
    Otherwise,
}

/// How it was seen that a function is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The service was asked for it and does not know it.
    NotFound,
    /// A whole list leaves it out, which may be for want of rights.
    LeftOut,
}

/// What a run concludes of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there, or nothing tells that it is not.
    Stays,
    /// It is gone.
    Gone,
    /// It answers, although a list leaves it out that is hard to believe.
    Contradicts,
}

/// What is to be concluded of a function by the part it had and how its requests were answered;
/// `is_alive` tells whether a young record of it came for the first time.
///
/// What is listed and not found stays: the service contradicts itself, and that is for a person to
/// see. What a list leaves out stays while it goes on: a list may be shortened for want of rights,
/// and what is gone is not asked for again.
pub fn fate(
    choice: Option<&Choice>,
    answered: Answered,
    is_archived: bool,
    needs_witness: bool,
    is_alive: bool,
) -> Fate {
    let is_listed = choice.is_some_and(|choice| choice.is_listed);
    let is_left_out = choice.is_some_and(|choice| choice.part == Part::Farewell);
    match answered {
        Answered::NotFound if is_archived && !is_listed => Fate::Gone,
        Answered::All if is_left_out && needs_witness => Fate::Contradicts,
        Answered::All if is_left_out && !is_alive => Fate::Gone,
        _ => Fate::Stays,
    }
}

/// What of a function's time is not proven, from where it is archived until a moment.
pub fn unproven_until(ledger: &[Entry], until: Timestamp) -> Vec<Interval> {
    let done: IntervalSet =
        ledger.iter().filter(|row| row.state != State::Unproven).map(|row| row.window).collect();
    let begin = ledger.first().map(|first| first.window.begin());
    let whole = begin.and_then(|begin| Interval::new(begin, until));
    whole.map_or_else(Vec::new, |whole| done.gaps_in(whole))
}

/// Whether an archived record that ended then tells, by not being shown at `now`, that a function
/// which came back was made anew: every service keeps a record for so long.
pub fn tells_of_past(ended_at: Timestamp, now: Timestamp) -> bool {
    now - LEAST_REACH < ended_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::paging::Proof;

    /// What a run over every function wants.
    static ALL: FunctionFilter = FunctionFilter { include: Vec::new(), exclude: Vec::new() };

    fn urn(name: &str) -> FunctionUrn {
        format!("urn:fss:r:p:function:default:{name}").parse().unwrap()
    }

    fn urns(names: &str) -> Vec<FunctionUrn> {
        names.split_whitespace().map(urn).collect()
    }

    /// Archived functions; a `-` before a name says that it is gone, a `?` that it was only ever
    /// asked for in vain.
    fn known(names: &str) -> Vec<Known> {
        let one = |name: &str| Known {
            urn: urn(name.trim_start_matches(['-', '?'])),
            is_archived: !name.starts_with('?'),
            gone_at: name.starts_with('-').then(|| Timestamp::from_unix(1_000)),
            horizon_begin: None,
            was_listed: false,
        };
        names.split_whitespace().map(one).collect()
    }

    fn project() -> Project {
        Project { region: "r".to_owned(), id: "p".to_owned() }
    }

    /// The choices in short: the name and the part of each.
    fn chosen(named: &str, list: Option<(&str, bool)>, archived: &str) -> Vec<String> {
        let (project, listed) = (project(), list.map(|(names, is_whole)| (urns(names), is_whole)));
        let list = listed.as_ref().map(|(functions, is_whole)| List {
            functions,
            is_whole: *is_whole,
            project: Some(&project),
            wanted: &ALL,
        });
        let choices = choose(&urns(named), list, &known(archived));
        choices.iter().map(|choice| format!("{} {:?}", choice.urn.name(), choice.part)).collect()
    }

    #[test]
    fn a_run_is_about_what_was_named_and_listed() {
        assert_eq!(chosen("a b a", None, "a ?b c"), ["a Archive", "b Archive"]);
        assert_eq!(chosen("b", Some(("a b", true)), ""), ["b Archive", "a Archive"]);
        assert_eq!(
            chosen("", Some(("a", true)), "a ?typo"),
            ["a Archive"],
            "what was never archived is not missed"
        );
    }

    #[test]
    fn what_a_whole_list_leaves_out_is_asked_a_last_time() {
        assert_eq!(chosen("", Some(("a", true)), "a b"), ["a Archive", "b Farewell"]);
        assert_eq!(chosen("b", Some(("a", true)), "a b"), ["b Farewell", "a Archive"]);
        assert_eq!(
            chosen("", Some(("a", false)), "a b"),
            ["a Archive", "b Archive"],
            "it may be in what is missing"
        );
    }

    #[test]
    fn no_list_speaks_of_versions_aliases_and_other_projects() {
        for other in [
            "urn:fss:r:p:function:default:a:!prod",
            "urn:fss:r:q:function:default:a",
            "urn:fss:s:p:function:default:a",
        ] {
            let other: FunctionUrn = other.parse().unwrap();
            let archived = Known { urn: other.clone(), ..known("a").remove(0) };
            let (project, listed) = (project(), urns("a"));
            let list = Some(List {
                functions: &listed,
                is_whole: true,
                project: Some(&project),
                wanted: &ALL,
            });
            let choices = choose(&[], list, std::slice::from_ref(&archived));
            assert_eq!(choices.len(), 1, "{other} is not asked for");
            let choices = choose(std::slice::from_ref(&other), list, &[archived]);
            assert_eq!(choices[0].part, Part::Archive, "{other} is not gone");
        }
    }

    #[test]
    fn a_version_that_was_listed_before_is_missed() {
        let version: FunctionUrn = "urn:fss:r:p:function:default:a:v1".parse().unwrap();
        let (project, both, one) = (project(), [urn("a"), version.clone()], urns("a"));
        let of = |functions, archived: &[Known]| {
            let list =
                Some(List { functions, is_whole: true, project: Some(&project), wanted: &ALL });
            choose(&[], list, archived).into_iter().find(|choice| choice.urn == version)
        };
        let first = of(&both[..], &known("a")).unwrap();
        assert_eq!((first.part, first.is_first_listed), (Part::Archive, true));
        let archived = Known { urn: version.clone(), was_listed: true, ..known("a").remove(0) };
        assert!(!of(&both[..], std::slice::from_ref(&archived)).unwrap().is_first_listed);
        assert_eq!(of(&one[..], std::slice::from_ref(&archived)).unwrap().part, Part::Farewell);
        assert_eq!(
            of(&one[..], &[Known { was_listed: false, ..archived }]),
            None,
            "it was only ever named"
        );
    }

    #[test]
    fn what_is_gone_is_asked_for_only_where_nothing_else_tells() {
        assert_eq!(chosen("a", None, "-a"), ["a Look"]);
        assert_eq!(chosen("", Some(("", true)), "-a"), [""; 0]);
        assert_eq!(chosen("a", Some(("", true)), "-a"), ["a Rest"]);
        assert_eq!(chosen("a", Some(("", false)), "-a"), ["a Look"]);
        assert_eq!(chosen("", Some(("", false)), "-a"), [""; 0]);
        assert_eq!(chosen("", Some(("a", true)), "-a"), ["a Return"]);
        assert_eq!(chosen("", Some(("a", false)), "-a"), ["a Return"], "what is listed is there");
    }

    #[test]
    fn a_list_that_leaves_out_more_than_half_needs_a_witness() {
        let needed = |listed: &str, archived: &str| {
            let (project, listed, known) = (project(), urns(listed), known(archived));
            let list = Some(List {
                functions: &listed,
                is_whole: true,
                project: Some(&project),
                wanted: &ALL,
            });
            needs_witness(&choose(&[], list, &known), list, &known)
        };
        assert!(needed("", "a b c") && needed("", "a") && needed("a new", "a b c"));
        assert!(!needed("a", "a b") && !needed("a b", "a b c") && !needed("", "-a ?b"));
    }

    #[test]
    fn gone_is_what_is_neither_listed_nor_found() {
        let choice =
            |part, is_listed| Choice { urn: urn("a"), part, is_listed, is_first_listed: false };
        let named = choice(Part::Archive, false);
        assert_eq!(fate(Some(&named), Answered::NotFound, true, false, false), Fate::Gone);
        assert_eq!(fate(None, Answered::NotFound, true, false, false), Fate::Gone);
        assert_eq!(
            fate(Some(&named), Answered::NotFound, false, false, false),
            Fate::Stays,
            "it was never archived"
        );
        assert_eq!(fate(Some(&named), Answered::Otherwise, true, false, false), Fate::Stays);
        assert_eq!(fate(Some(&named), Answered::All, true, false, false), Fate::Stays);
        let listed = choice(Part::Archive, true);
        assert_eq!(
            fate(Some(&listed), Answered::NotFound, true, false, false),
            Fate::Stays,
            "the list speaks against it"
        );
        let farewell = choice(Part::Farewell, false);
        assert_eq!(fate(Some(&farewell), Answered::All, true, false, false), Fate::Gone);
        assert_eq!(
            fate(Some(&farewell), Answered::All, true, false, true),
            Fate::Stays,
            "it goes on"
        );
        assert_eq!(fate(Some(&farewell), Answered::NotFound, true, false, true), Fate::Gone);
        assert_eq!(
            fate(Some(&farewell), Answered::Otherwise, true, false, false),
            Fate::Stays,
            "the next run asks again"
        );
        assert_eq!(fate(Some(&farewell), Answered::All, true, true, false), Fate::Contradicts);
        assert_eq!(fate(Some(&farewell), Answered::NotFound, true, true, false), Fate::Gone);
    }

    #[test]
    fn what_goes_with_a_function_is_what_was_not_proven() {
        let at = Timestamp::from_unix;
        let range = |begin, end| Interval::new(at(begin), at(end)).unwrap();
        let row = |begin, end, state| Entry {
            window: range(begin, end),
            state,
            reported: None,
            distinct: 0,
            pages: 1,
            walked_at: at(end),
            reason: None,
        };
        let (settled, proven) = (State::Settled(Proof::Both), State::Proven(Proof::Both));
        let ledger = [
            row(0, 10, settled),
            row(20, 30, State::Unproven),
            row(30, 40, State::Lost),
            row(40, 50, proven),
        ];
        assert_eq!(unproven_until(&ledger, at(55)), [range(10, 30), range(50, 55)]);
        assert_eq!(unproven_until(&ledger, at(50)), [range(10, 30)]);
        assert_eq!(unproven_until(&[], at(50)), []);
    }

    #[test]
    fn only_a_young_record_tells_that_a_function_was_made_anew() {
        let at = Timestamp::from_unix;
        assert!(tells_of_past(at(1_001), at(86_400 + 1_000)));
        assert!(
            !tells_of_past(at(1_000), at(86_400 + 1_000)),
            "the service may have forgotten it by its age"
        );
    }
}
