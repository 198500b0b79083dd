//! What an archive must hold, computed from the world and the reading it is served under; no code
//! of the program's client takes part.

use crate::archive::{self, Record, Records, Window};
use crate::cloud::{Cloud, later};
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{ErrorForm, Oddity, OpenTime, Phase, Readings, Shown, WaitStart};
use std::collections::BTreeSet;
use std::path::Path;

/// The settle delay that runs have unless told otherwise, seconds.
pub(crate) const SETTLE_DELAY: i64 = 900;

/// Every record that is listed at a moment, as it must be archived; those without an id cannot be.
pub(crate) fn records(cloud: &Cloud, at: Timestamp) -> Records {
    let (world, readings) = (cloud.emulator.world(), cloud.emulator.readings());
    let mut all = Records::new();
    for (number, function) in world.functions().iter().enumerate() {
        let urn = function.urn().to_string();
        for shown in world.shown(number, at) {
            let oddity = oddity(readings, &shown);
            if !oddity.is_some_and(is_unreadable) {
                all.insert(shown.id.to_string(), record(&urn, &shown, oddity, readings));
            }
        }
    }
    all
}

/// How many entries must be kept aside, each text once for each function.
pub(crate) fn rejects(cloud: &Cloud, at: Timestamp) -> usize {
    let (world, readings) = (cloud.emulator.world(), cloud.emulator.readings());
    let texts = |number| {
        let unreadable =
            world.shown(number, at).filter_map(|shown| match oddity(readings, &shown)? {
                Oddity::NoObject => Some(String::new()),
                Oddity::NoId => {
                    let failure = shown.failure.map(|failure| failure.to_string());
                    Some(format!("{:?} {} {:?} {failure:?}", shown.phase, shown.start, shown.end))
                }
                _ => None,
            });
        unreadable.collect::<BTreeSet<_>>().len()
    };
    (0..world.functions().len()).map(texts).sum()
}

fn oddity(readings: &Readings, shown: &Shown) -> Option<Oddity> {
    readings.odd.and_then(|one_of| Oddity::of(shown.id, one_of))
}

/// Whether an entry is no record that could be archived.
fn is_unreadable(oddity: Oddity) -> bool {
    matches!(oddity, Oddity::NoId | Oddity::NoObject)
}

fn record(urn: &str, shown: &Shown, oddity: Option<Oddity>, readings: &Readings) -> Record {
    let no_time = match readings.open_time {
        OpenTime::Empty | OpenTime::Null | OpenTime::Absent | OpenTime::YearOne => None,
        OpenTime::Start => Some(shown.start.to_string()),
    };
    let no_code = (readings.error_form == ErrorForm::Number).then(|| "integer 0".to_owned());
    let start_known = shown.phase != Phase::Wait || readings.wait_start == WaitStart::Known;
    let mut record = [
        Some(urn.to_owned()),
        Some(shown.phase.as_str().to_owned()),
        shown.failure.map(|failure| format!("integer {}", failure.code())).or(no_code),
        shown.failure.map(|failure| failure.to_string()),
        if start_known { Some(shown.start.to_string()) } else { no_time.clone() },
        shown.end.map(|end| end.to_string()).or(no_time),
        None,
    ];
    let [_, status, code, message, start, _, extra] = &mut record;
    match oddity {
        None | Some(Oddity::NoId | Oddity::NoObject) => {}
        Some(Oddity::ExtraFields) => {
            *extra =
                Some(r#"{"attempt":2,"trigger":{"name":"nightly","type":"TIMER"}}"#.to_owned());
        }
        Some(Oddity::UnknownStatus) => *status = Some("TIMEOUT".to_owned()),
        Some(Oddity::UnreadableStart) => *start = Some("yesterday".to_owned()),
        Some(Oddity::WordyCode) => *code = Some("text FSS.4005".to_owned()),
        Some(Oddity::EnormousMessage) => *message = Some("x".repeat(20_000)),
    }
    record
}

/// The archive holds the world as it is listed now: no record missing, none too many, none
/// different.
#[track_caller]
pub(crate) fn assert_whole(cloud: &Cloud, db: &Path) {
    assert_same(&records(cloud, cloud.now()), &archive::records(db));
    let aside = usize::try_from(archive::number(db, "SELECT count(*) FROM rejects")).unwrap();
    assert_eq!(aside, rejects(cloud, cloud.now()), "entries kept aside");
}

/// Every record that is not archived lies in a range that is told to be missing, of each function
/// that was asked for. The last five minutes are nobody's promise yet.
#[track_caller]
pub(crate) fn assert_missing_is_told(cloud: &Cloud, db: &Path) {
    let promised = later(cloud.now(), -600).to_string();
    let begun = archive::rows(db, "SELECT urn FROM functions WHERE horizon_begin IS NOT NULL");
    let told = archive::gaps(db);
    let found = archive::records(db);
    for (id, record) in records(cloud, cloud.now()) {
        let [Some(urn), _, _, _, Some(start), ..] = &record else { continue };
        if begun.contains(urn) && *start < promised && !found.contains_key(&id) {
            let is_told =
                told.iter().any(|(of, begin, end)| of == urn && begin <= start && start < end);
            assert!(is_told, "{id} of {start} is missing, and {urn} has these gaps: {told:?}");
        }
    }
}

/// Like `assert_eq`, but only the first differences are shown.
#[track_caller]
pub(crate) fn assert_same(expected: &Records, found: &Records) {
    let ids: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let differing: Vec<_> =
        ids.into_iter().filter(|id| expected.get(*id) != found.get(*id)).collect();
    let shown = differing.iter().take(4).map(|id| {
        format!("{id}\n  world   {:?}\n  archive {:?}\n", expected.get(*id), found.get(*id))
    });
    assert!(
        differing.is_empty(),
        "{} of {} records differ:\n{}",
        differing.len(),
        expected.len(),
        shown.collect::<String>()
    );
}

/// Everything from `since` until now is proven, and settled as far as the delay lets it be.
#[track_caller]
pub(crate) fn assert_settled(cloud: &Cloud, db: &Path, since: Timestamp) {
    let now = cloud.now();
    for urn in cloud.functions() {
        let ledger = archive::ledger(db, &urn);
        let shown = format!("{}, at {now}: {ledger:?}", urn.name());
        assert!(ledger.windows(2).all(|pair| pair[0].end == pair[1].begin), "a gap: {shown}");
        let settled_until = later(now, -SETTLE_DELAY);
        let old: Vec<&Window> =
            ledger.iter().filter(|window| window.end <= settled_until).collect();
        // What one run found empty waits for another to look at it.
        let is_settled = |window: &&Window| {
            window.state == "settled" || (window.state == "proven" && window.records == 0)
        };
        // What cannot be read keeps its second unproven, and those whose walks show it.
        let unreadable = unreadable(cloud, &urn);
        let holds_unreadable = |window: &&Window| {
            let is_near =
                |&at: &Timestamp| window.begin <= later(at, 1) && later(at, -1) <= window.end;
            // A second that is not over is left with what cannot be read before it.
            let is_to_come = !unreadable.is_empty() && now <= window.begin;
            window.state == "unproven" && (is_to_come || unreadable.iter().any(is_near))
        };
        let is_sound = |window: &&Window| {
            is_settled(window)
                || holds_unreadable(window)
                || (window.state == "proven" && window.end > settled_until)
        };
        let unsound: Vec<_> = ledger.iter().filter(|window| !is_sound(window)).collect();
        assert!(unsound.is_empty(), "{unsound:?} beside {unreadable:?}, of {shown}");
        assert!(old.iter().any(|window| window.state == "settled"), "{shown}");
        assert!(old[0].begin <= since, "{shown}");
        let end = ledger[ledger.len() - 1].end;
        if unreadable.is_empty() {
            assert_eq!((old[old.len() - 1].end, end), (settled_until, now), "{shown}");
        } else {
            // What is left unproven may reach to the end of what was asked for.
            assert!(end >= now, "{shown}");
        }
    }
}

/// When what cannot be read of a function began, and when it ended: by which of them the service
/// files it is a reading.
fn unreadable(cloud: &Cloud, urn: &fgarchive::domain::FunctionUrn) -> Vec<Timestamp> {
    let (world, readings) = (cloud.emulator.world(), cloud.emulator.readings());
    let number = world.functions().iter().position(|function| function.urn() == urn).unwrap();
    let shown = world.shown(number, cloud.now());
    let unreadable = shown.filter(|shown| oddity(readings, shown).is_some_and(is_unreadable));
    unreadable.flat_map(|shown| [Some(shown.start), shown.end]).flatten().collect()
}

/// The unproven windows of a function.
pub(crate) fn unproven(db: &Path, urn: &fgarchive::domain::FunctionUrn) -> Vec<Window> {
    archive::ledger(db, urn).into_iter().filter(|window| window.state == "unproven").collect()
}
