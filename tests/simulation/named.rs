//! Worlds that each take one check of the engine to survive: without it, records are lost in them and nobody is told.

use crate::functions::Naming;
use crate::play::{Played, play_schedule, with_template};
use crate::readings::{CountReading, Faults, Lengths, NextReading, Readings};
use crate::schedule::{Planned, Schedule};
use crate::service::{Answered, Asked};
use crate::showing::Oddities;
use crate::world::{EPOCH, World};
use fgarchive::domain::Timestamp;
use fgarchive::sync::Settings;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// So many seeds of one world let its answers take every time they can take.
const SEEDS: u64 = 60;

/// Long after everything.
const NEVER: i64 = EPOCH + 4_000 * DAY;

/// The service in its plainest form: oldest first, a page of ten, and no word on how long the list is.
fn silent() -> Readings {
    Readings {
        newest_first: false,
        shuffled_ties: 0.0,
        repeated: None,
        hiccups: 0.0,
        lengths: Lengths::Full,
        wrong_count: None,
        begin_included: true,
        end_included: true,
        by_end: false,
        count: CountReading::Absent,
        next: NextReading::AlwaysAbsent,
        page_cap: 10,
        result_cap: usize::MAX,
        find_in_window: false,
        longest_window: None,
        refuses_future: false,
        stale: (0.0, 0),
        odd: Oddities::default(),
    }
}

/// Runs at these moments, nothing goes wrong with them.
fn schedule(world: World, readings: Readings, moments: &[i64]) -> Schedule {
    let settings = Settings {
        functions: world.functions.clone(),
        since: Some(Timestamp::from_unix(EPOCH - 10)),
        concurrency: 1,
        ..Settings::default()
    };
    let run = |&at| Planned { at, skew: 0, faults: Faults::NONE, cut: None };
    let runs = moments.iter().map(run).collect();
    Schedule { world, readings, naming: Naming::PLAIN, settings, runs, quiet_from: 0 }
}

/// Plays a schedule with many seeds, none of which may lose anything; what came of each.
#[track_caller]
fn survives(seeds: u64, schedule: impl Fn() -> Schedule) -> Vec<Played> {
    let plays: Vec<Played> =
        with_template(|template| (0..seeds).map(|seed| play_schedule(schedule(), seed, template)).collect());
    for (seed, played) in plays.iter().enumerate() {
        let calls: Vec<String> = played.calls.iter().map(ToString::to_string).collect();
        assert!(played.findings.is_empty(), "seed {seed}: {:?}\n{}", played.findings, calls.join("\n"));
    }
    plays
}

/// How many requests for pages a play took.
fn pages(played: &Played) -> usize {
    played
        .calls
        .iter()
        .filter(|call| matches!((&call.asked, call.answer), (Asked::List { .. }, Answered::Records { .. })))
        .count()
}

/// An answer holds fewer records than fit, and no marker says that more follow: only the total does.
#[test]
fn a_page_that_comes_short_is_not_the_last_one_where_the_total_says_so() {
    let records = || (0..300).map(|number| (EPOCH + number, NEVER));
    let schedule = || {
        let readings = Readings { count: CountReading::Total, hiccups: 20.0, page_cap: 50, ..silent() };
        schedule(World::of_records(records()), readings, &[EPOCH + 2 * HOUR, EPOCH + 3 * HOUR])
    };
    let plays = survives(SEEDS, schedule);
    let [least, most] = [plays.iter().map(pages).min(), plays.iter().map(pages).max()];
    assert!(least < most, "no page came short: {least:?} to {most:?} pages");
}

/// Records are forgotten between two pages, so that the list slides by one more than the pages overlap, and a record that is
/// listed twice makes up for the one that slid by: every count of entries is as it should be, only the seam is broken.
#[test]
fn a_repeated_record_does_not_hide_one_that_slid_by() {
    let walked_at = EPOCH + 2 * HOUR;
    // The first record would be listed twice as well; it is gone before anybody looks.
    let forgotten = |number: i64| match number {
        0 => walked_at - HOUR,
        1 | 2 => walked_at,
        _ => NEVER,
    };
    let records = || (0..45).map(|number| (EPOCH + number, forgotten(number)));
    let schedule = || {
        let readings = Readings { repeated: Some(40), ..silent() };
        schedule(World::of_records(records()), readings, &[walked_at, walked_at + HOUR])
    };
    let plays = survives(SEEDS, schedule);
    let [least, most] = [plays.iter().map(pages).min(), plays.iter().map(pages).max()];
    assert!(least < most, "the list slid in no walk: {least:?} to {most:?} pages");
}

/// A function is deleted and made anew while nobody looks: what had come since the last run went with it, and the empty
/// answers of the new one do not prove that there was nothing.
#[test]
fn what_went_with_a_function_that_was_made_anew_is_not_called_empty() {
    let gone = EPOCH + 52 * HOUR..EPOCH + 53 * HOUR;
    let archived = (0..40).map(|number| EPOCH + number * HOUR + HOUR);
    let missed = (0..10).map(|number| EPOCH + 51 * HOUR + number);
    let records: Vec<(i64, i64)> = archived.chain(missed).map(|second| (second, gone.start)).collect();
    let schedule = || {
        let runs = [2, 50].map(|hour| EPOCH + hour * HOUR).into_iter();
        let runs = runs.chain([gone.start + HOUR / 2, gone.end + HOUR, gone.end + 2 * HOUR]);
        let schedule = schedule(World::of_records(records.clone()), silent(), &runs.collect::<Vec<_>>());
        Schedule { naming: Naming::PLAIN.absent(0, gone.clone()), ..schedule }
    };
    survives(SEEDS, schedule);
}

/// Every way in which pages can be cut, with every way in which the last one may point, and no
/// total: what is complete is whole, and all of it comes to be complete.
#[test]
fn pages_of_any_length_are_walked_to_the_end() {
    let records = || (0..40).map(|number| (EPOCH + number, NEVER));
    let counts = [CountReading::Absent, CountReading::PageLength, CountReading::Total, CountReading::OneTooLow];
    for lengths in [Lengths::Random, Lengths::SometimesShort, Lengths::Fixed(1), Lengths::Fixed(2)] {
        for (next, count) in NextReading::ALL.into_iter().flat_map(|next| counts.map(|count| (next, count))) {
            let schedule = || {
                let readings = Readings { lengths, count, next, ..silent() };
                schedule(World::of_records(records()), readings, &[EPOCH + 2 * HOUR, EPOCH + 3 * HOUR])
            };
            for played in survives(4, schedule) {
                assert_eq!(played.counts.incomplete, 0, "{lengths:?} {next:?} {count:?}");
                assert!(pages(&played) < 40 * 8, "{lengths:?} {next:?} {count:?}: {} pages", pages(&played));
            }
        }
    }
}

/// Fifty records in twenty days, and a count that is wrong for ever: all records are kept, and a
/// run asks for little.
#[test]
fn a_count_that_is_wrong_for_ever_costs_few_requests() {
    let records = || (0..50).map(|number| (EPOCH + number * 34_560, NEVER));
    let moments = [EPOCH + 21 * DAY, EPOCH + 21 * DAY + HOUR];
    for count in [CountReading::OneTooLow, CountReading::OneTooHigh] {
        for next in [NextReading::Zero, NextReading::Onward] {
            let schedule = || {
                let readings = Readings { wrong_count: Some(count), next, page_cap: 500, ..silent() };
                schedule(World::of_records(records()), readings, &moments)
            };
            for played in survives(4, schedule) {
                let is_proven = count == CountReading::OneTooLow;
                assert_eq!(played.counts.incomplete, u64::from(!is_proven), "{count:?} {next:?}");
                assert!(pages(&played) <= 2 * 100, "{count:?} {next:?}: {} pages in two runs", pages(&played));
            }
        }
    }
}
