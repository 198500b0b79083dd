//! Worlds that each take one check of the engine to survive: without it, records are lost in them
//! and nobody is told.

use crate::functions::Naming;
use crate::play::{Played, play_schedule, with_template};
use crate::readings::{CountReading, Down, Faults, Forbidden, Lengths, NextReading, Readings};
use crate::schedule::{Clocks, Planned, Schedule};
use crate::service::{Answered, Asked, Call};
use crate::showing::Oddities;
use crate::world::{EPOCH, World};
use fgarchive::api::Meaning;
use fgarchive::domain::Timestamp;
use fgarchive::sync::Settings;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// So many seeds of one world let its answers take every time they can take.
const SEEDS: u64 = 60;

/// Long after everything.
const NEVER: i64 = EPOCH + 4_000 * DAY;

/// The service in its plainest form: oldest first, a page of ten, and no word on how long the list
/// is.
fn silent() -> Readings {
    Readings {
        newest_first: false,
        shuffled_ties: 0.0,
        repeated: None,
        spoilt: 0.0,
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
        unknown_ids: false,
        longest_window: None,
        refuses_future: false,
        stale: (0.0, 0),
        odd: Oddities::default(),
    }
}

/// Runs at these moments, nothing goes wrong with them.
fn schedule(world: World, readings: Readings, moments: &[i64]) -> Schedule {
    let settings = Settings {
        functions: world.functions.iter().cloned().map(Into::into).collect(),
        since: Some(Timestamp::from_unix(EPOCH - 10)),
        concurrency: 1,
        ..Settings::default()
    };
    let runs = moments.iter().map(|&at| Planned::at(at)).collect();
    Schedule { world, readings, naming: Naming::PLAIN, settings, runs, quiet_from: 0 }
}

/// Plays a schedule with many seeds, none of which may lose anything; what came of each.
#[track_caller]
fn survives(seeds: u64, schedule: impl Fn() -> Schedule) -> Vec<Played> {
    let plays: Vec<Played> = with_template(|template| {
        (0..seeds).map(|seed| play_schedule(schedule(), seed, template)).collect()
    });
    for (seed, played) in plays.iter().enumerate() {
        let calls: Vec<String> = played.calls.iter().map(ToString::to_string).collect();
        assert!(
            played.findings.is_empty(),
            "seed {seed}: {:?}\n{}",
            played.findings,
            calls.join("\n")
        );
    }
    plays
}

/// How many requests for pages a play took.
fn pages(played: &Played) -> usize {
    played
        .calls
        .iter()
        .filter(|call| {
            matches!((&call.asked, call.answer), (Asked::List { .. }, Answered::Records { .. }))
        })
        .count()
}

/// An answer holds fewer records than fit, and no marker says that more follow: only the total
/// does.
#[test]
fn a_page_that_comes_short_is_not_the_last_one_where_the_total_says_so() {
    let records = || (0..300).map(|number| (EPOCH + number, NEVER));
    let schedule = || {
        let readings =
            Readings { count: CountReading::Total, hiccups: 20.0, page_cap: 50, ..silent() };
        schedule(World::of_records(records()), readings, &[EPOCH + 2 * HOUR, EPOCH + 3 * HOUR])
    };
    let plays = survives(SEEDS, schedule);
    let [least, most] = [plays.iter().map(pages).min(), plays.iter().map(pages).max()];
    assert!(least < most, "no page came short: {least:?} to {most:?} pages");
}

/// Records are forgotten between two pages, so that the list slides by one more than the pages
/// overlap, and a record that is listed twice makes up for the one that slid by: every count of
/// entries is as it should be, only the seam is broken.
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

/// A function is deleted and made anew while nobody looks: what had come since the last run went
/// with it, and the empty answers of the new one do not prove that there was nothing.
#[test]
fn what_went_with_a_function_that_was_made_anew_is_not_called_empty() {
    let gone = EPOCH + 52 * HOUR..EPOCH + 53 * HOUR;
    let archived = (0..40).map(|number| EPOCH + number * HOUR + HOUR);
    let missed = (0..10).map(|number| EPOCH + 51 * HOUR + number);
    let records: Vec<(i64, i64)> =
        archived.chain(missed).map(|second| (second, gone.start)).collect();
    let schedule = || {
        let runs = [2, 50].map(|hour| EPOCH + hour * HOUR).into_iter();
        let runs = runs.chain([gone.start + HOUR / 2, gone.end + HOUR, gone.end + 2 * HOUR]);
        let schedule =
            schedule(World::of_records(records.clone()), silent(), &runs.collect::<Vec<_>>());
        Schedule { naming: Naming::PLAIN.absent(0, gone.clone()), ..schedule }
    };
    survives(SEEDS, schedule);
}

/// Every way in which pages can be cut, with every way in which the last one may point, and no
/// total: what is complete is whole, and all of it comes to be complete.
#[test]
fn pages_of_any_length_are_walked_to_the_end() {
    let records = || (0..40).map(|number| (EPOCH + number, NEVER));
    let counts = [
        CountReading::Absent,
        CountReading::PageLength,
        CountReading::Total,
        CountReading::OneTooLow,
    ];
    for lengths in [Lengths::Random, Lengths::SometimesShort, Lengths::Fixed(1), Lengths::Fixed(2)]
    {
        for (next, count) in
            NextReading::ALL.into_iter().flat_map(|next| counts.map(|count| (next, count)))
        {
            let schedule = || {
                let readings = Readings { lengths, count, next, ..silent() };
                schedule(
                    World::of_records(records()),
                    readings,
                    &[EPOCH + 2 * HOUR, EPOCH + 3 * HOUR],
                )
            };
            for played in survives(4, schedule) {
                assert_eq!(played.counts.incomplete, 0, "{lengths:?} {next:?} {count:?}");
                assert!(
                    pages(&played) < 40 * 8,
                    "{lengths:?} {next:?} {count:?}: {} pages",
                    pages(&played)
                );
            }
        }
    }
}

/// A marker that is the number of the next page, or of what is left, falls behind the position
/// asked for, as one does that tells the end of a list.
#[test]
fn markers_that_are_no_positions_end_no_list() {
    let counts = [CountReading::Absent, CountReading::PageLength, CountReading::Total];
    for length in [11, 20, 28, 40, 95] {
        let records = || (0..length).map(|number| (EPOCH + number, NEVER));
        for (next, count) in
            NextReading::STRAYING.into_iter().flat_map(|next| counts.map(|count| (next, count)))
        {
            let schedule = || {
                let readings = Readings { count, next, ..silent() };
                schedule(
                    World::of_records(records()),
                    readings,
                    &[EPOCH + 2 * HOUR, EPOCH + 3 * HOUR],
                )
            };
            for played in survives(4, schedule) {
                assert_eq!(played.counts.incomplete, 0, "{length} {next:?} {count:?}");
                assert!(
                    pages(&played) < 60,
                    "{length} {next:?} {count:?}: {} pages",
                    pages(&played)
                );
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
                let readings =
                    Readings { wrong_count: Some(count), next, page_cap: 500, ..silent() };
                schedule(World::of_records(records()), readings, &moments)
            };
            for played in survives(4, schedule) {
                let is_proven = count == CountReading::OneTooLow;
                assert_eq!(played.counts.incomplete, u64::from(!is_proven), "{count:?} {next:?}");
                assert!(
                    pages(&played) <= 2 * 100,
                    "{count:?} {next:?}: {} pages in two runs",
                    pages(&played)
                );
            }
        }
    }
}

const MINUTE: i64 = 60;
const YEAR: i64 = 365 * DAY;

/// What the clocks say is the same for every seed.
const SEEDS_OF_CLOCKS: u64 = 5;

/// Eight runs, five minutes apart, in a world of a record every three seconds; then two quiet ones.
/// `wrong` is what is wrong with the clocks of each.
fn eight_runs(wrong: impl Fn(usize) -> (i64, Clocks)) -> Schedule {
    let records = (0..2_400).map(|number| (EPOCH + 3 * number, NEVER));
    let first = EPOCH + 65 * MINUTE;
    let moments: Vec<i64> = (0..8)
        .map(|run| first + 5 * MINUTE * run)
        .chain([first + HOUR, first + 2 * HOUR])
        .collect();
    let readings = Readings {
        count: CountReading::Total,
        next: NextReading::AbsentAtLast,
        page_cap: 500,
        ..silent()
    };
    let mut schedule = schedule(World::of_records(records), readings, &moments);
    for (number, run) in schedule.runs.iter_mut().enumerate().take(8) {
        (run.skew, run.clocks) = wrong(number);
    }
    Schedule { quiet_from: 8, ..schedule }
}

/// Nothing is lost whichever of the clocks is wrong, each run asks, and what each says is what it
/// is.
#[track_caller]
fn survives_clocks(wrong: impl Fn(usize) -> (i64, Clocks), exits: [u8; 10]) {
    for played in survives(SEEDS_OF_CLOCKS, || eight_runs(&wrong)) {
        let asked = |run: usize| played.calls.iter().any(|call| call.run == run);
        assert!((0..10).all(asked), "a run asked nothing");
        assert_eq!(played.exits, exits);
        assert_eq!(played.counts.late, 0);
    }
}

#[test]
fn dates_that_are_minutes_ahead_in_some_runs_lose_nothing() {
    let ahead = |run| {
        (
            0,
            Clocks {
                date: if run == 2 || run == 5 { 20 * MINUTE } else { 0 },
                ..Clocks::default()
            },
        )
    };
    survives_clocks(ahead, [0; 10]);
}

#[test]
fn a_single_answer_with_a_wrong_date_loses_nothing() {
    for wrong in [DAY, YEAR, -DAY, -YEAR] {
        let stray = |run| {
            (0, Clocks { strays: (if run % 2 == 1 { 30 } else { 0 }, wrong), ..Clocks::default() })
        };
        for played in survives(SEEDS_OF_CLOCKS, || eight_runs(stray)) {
            assert_eq!(played.exits[8..], [0, 0]);
        }
    }
}

#[test]
fn a_machine_s_clock_that_is_set_back_asks_says_so_and_claims_nothing() {
    for back in [-HOUR, -YEAR] {
        let set_back = |run| (if run == 3 || run == 4 { back } else { 0 }, Clocks::default());
        survives_clocks(set_back, [0, 0, 0, 3, 3, 0, 0, 0, 0, 0]);
    }
}

/// The same where the service dates nothing. All of the archive is still to come by a clock that
/// is set back by a year: that is said, too.
#[test]
fn a_machine_s_clock_that_is_set_back_and_is_the_only_one_asks_and_says_so() {
    for back in [-HOUR, -31 * DAY, -YEAR] {
        let wrong = |run| {
            let skew = if run == 3 || run == 4 { back } else { 0 };
            (skew, Clocks { is_undated: true, ..Clocks::default() })
        };
        for played in survives(SEEDS_OF_CLOCKS, || eight_runs(wrong)) {
            let asked = |run: usize| played.calls.iter().any(|call| call.run == run);
            assert!((0..10).all(asked), "a run asked nothing");
            assert_eq!((played.exits[3], played.exits[4]), (3, 3), "{back}");
            assert_eq!(played.exits.last(), Some(&0), "{back}");
        }
    }
}

#[test]
fn a_machine_s_clock_that_is_ahead_claims_what_the_service_s_has_seen() {
    for ahead in [HOUR, YEAR] {
        let set_ahead = |run| (if run == 3 || run == 4 { ahead } else { 0 }, Clocks::default());
        survives_clocks(set_ahead, [0; 10]);
    }
}

#[test]
fn a_clock_that_is_set_during_a_run_changes_nothing() {
    for by in [-YEAR, -HOUR, HOUR, YEAR] {
        let jump = |run: usize| {
            (0, Clocks { jump: (run % 2 == 1).then_some((1, by)), ..Clocks::default() })
        };
        survives_clocks(jump, [0; 10]);
    }
}

/// Both clocks were ahead, and nobody could tell; with right ones, what they claimed is taken back
/// and walked again.
#[test]
fn what_two_clocks_claimed_that_were_ahead_is_taken_back() {
    let both = |run| {
        let ahead = if run == 3 { HOUR } else { 0 };
        (ahead, Clocks { date: ahead, ..Clocks::default() })
    };
    for played in survives(SEEDS_OF_CLOCKS, || eight_runs(both)) {
        assert_eq!(played.exits, [0, 0, 0, 0, 3, 0, 0, 0, 0, 0], "said, and mended");
    }
}

/// The service dates nothing, or wrongly, and the machine's clock was ahead in one run: with a right
/// one nobody can tell which of them is, so nothing is taken back. What was claimed is walked again
/// when it is over, and nothing that it left out stays missing.
#[test]
fn what_one_clock_claimed_that_was_ahead_is_walked_again_when_it_is_over() {
    let undated = Clocks { is_undated: true, ..Clocks::default() };
    let by_a_third = Clocks { date: 20 * MINUTE, ..Clocks::default() };
    for (ahead, clocks) in
        [(20 * MINUTE, undated), (25 * MINUTE, undated), (HOUR, undated), (20 * MINUTE, by_a_third)]
    {
        let schedule = || {
            let mut schedule = eight_runs(|run| (if run == 3 { ahead } else { 0 }, clocks));
            schedule.runs.iter_mut().for_each(|run| run.clocks = clocks);
            schedule
        };
        for played in survives(SEEDS_OF_CLOCKS, schedule) {
            assert_eq!(played.exits.last(), Some(&0), "{ahead} {clocks:?}");
        }
    }
}

/// The machine's clock is ahead when a run starts, and is set right within the run, as a daemon does
/// that finds the time; the service dates nothing. The run's own clock at its end tells that it
/// claimed time to come.
#[test]
fn a_clock_that_is_set_right_during_a_run_takes_back_what_it_claimed() {
    let records = || (0..2_400).map(|number| (EPOCH + 3 * number, NEVER));
    for ahead in [20 * MINUTE, HOUR, 2 * HOUR] {
        let schedule = || {
            let minutes = [30, 40, 240, 300];
            let moments = minutes.map(|minutes| EPOCH + minutes * MINUTE);
            let mut schedule = schedule(
                World::of_records(records()),
                Readings { count: CountReading::Total, page_cap: 50, ..silent() },
                &moments,
            );
            schedule.runs[1].skew = ahead;
            let jump = Some((1, -ahead));
            schedule.runs[1].clocks = Clocks { is_undated: true, jump, ..Clocks::default() };
            Schedule { quiet_from: 2, ..schedule }
        };
        for played in survives(SEEDS_OF_CLOCKS, schedule) {
            assert_eq!((played.exits[1], played.exits.last()), (3, Some(&0)), "{ahead}");
        }
    }
}

/// A function that is taken up after so many days, walked in runs at these moments after them.
fn taken_up_after(
    days: i64,
    records: impl IntoIterator<Item = (i64, i64)>,
    runs: &[i64],
) -> Schedule {
    let moments: Vec<i64> = runs.iter().map(|after| EPOCH + days * DAY + after).collect();
    let readings =
        Readings { count: CountReading::Total, next: NextReading::AbsentAtLast, ..silent() };
    schedule(World::of_records(records), readings, &moments)
}

/// Requests for pages in each run.
fn pages_of_runs(played: &Played, runs: usize) -> Vec<usize> {
    let in_run =
        |run| move |call: &&Call| call.run == run && matches!(call.asked, Asked::List { .. });
    (0..runs).map(|run| played.calls.iter().filter(in_run(run)).count()).collect()
}

/// The service hiccups, or a right is missing, and the first run is shown nothing.
#[test]
fn what_the_first_run_is_falsely_shown_empty_is_looked_at_again() {
    let records = || (0..9).map(|number| (EPOCH + number * DAY, NEVER));
    let schedule = || {
        let mut schedule = taken_up_after(20, records(), &[0, 5 * MINUTE, 10 * MINUTE]);
        schedule.runs[0].faults.empty_at = Some(0);
        schedule
    };
    for played in survives(SEEDS_OF_CLOCKS, schedule) {
        assert_eq!((played.exits.as_slice(), played.counts.late), ([0; 3].as_slice(), 0));
        let shown = |call: &Call| match (&call.asked, call.answer) {
            (Asked::List { .. }, Answered::Records { shown, .. }) => Some((call.run, shown)),
            _ => None,
        };
        let shown_to = |run| {
            played
                .calls
                .iter()
                .filter_map(shown)
                .filter(|each| each.0 == run)
                .map(|each| each.1)
                .sum()
        };
        let shown_to: [usize; 3] = [0, 1, 2].map(shown_to);
        let is_as_told = shown_to[0] == 0 && shown_to[1] >= 9 && shown_to[2] == 0;
        assert!(is_as_told, "the second run has them, the third need not look: {shown_to:?}");
    }
}

/// Looking again costs a quiet function one request, and alarms nobody, however late it comes.
#[test]
fn a_quiet_function_is_looked_at_again_once() {
    for played in survives(SEEDS_OF_CLOCKS, || taken_up_after(20, [], &[0, 5 * MINUTE, HOUR])) {
        assert_eq!(played.exits, [0; 3]);
        assert_eq!(pages_of_runs(&played, 3), [1, 2, 1]);
    }
    let runs: Vec<i64> = (0..6).map(|run| run * 20 * HOUR).collect();
    for played in survives(SEEDS_OF_CLOCKS, || taken_up_after(100, [], &runs)) {
        assert_eq!(
            played.exits, [0; 6],
            "nothing is lost, though it is looked at again after days"
        );
        // A window of the first run, and what the run before found empty, which lies further back
        // than a day.
        assert_eq!(pages_of_runs(&played, 6), [4, 2, 3, 3, 3, 2], "a window a run");
    }
}

/// A quiet month with one record an hour, and busy minutes around one of them.
fn month() -> Vec<(i64, i64)> {
    let hours = (0..700).map(|hour| (EPOCH + hour * HOUR, NEVER));
    let busy = (0..40).map(|second| (EPOCH + 300 * HOUR + second - 20, NEVER));
    hours.chain(busy).collect()
}

/// The number of the record that begins so many seconds after the first.
fn number_at(moments: &[(i64, i64)], second: i64) -> usize {
    moments.iter().position(|&(at, _)| at == EPOCH + second).expect("a record")
}

fn with_bad(schedule: Schedule, bad: &[usize]) -> Schedule {
    let runs = schedule.runs.into_iter().map(|run| {
        let faults = Faults { bad_records: bad.to_vec(), ..run.faults };
        Planned { faults, ..run }
    });
    Schedule { runs: runs.collect(), ..schedule }
}

/// The page that holds one record fails for ever, in each of the ways in which it can: its second
/// is all that is missing, the first run finds it with some hundred requests, and later ones go
/// straight to it.
#[test]
fn a_page_that_always_fails_costs_its_second() {
    let moments = month();
    let first = number_at(&moments, 300 * HOUR - 15);
    let end = EPOCH + 701 * HOUR;
    // The way goes by the number of the record.
    for bad in (first..).take(25) {
        let schedule = || {
            let runs = [end, end + HOUR, end + 2 * HOUR];
            with_bad(schedule(World::of_records(month()), silent(), &runs), &[bad])
        };
        for played in survives(SEEDS / 20, schedule) {
            let asked = |run| played.calls.iter().filter(|call| call.run == run).count();
            let walk = moments.len() / 9;
            assert!(asked(0) < walk + 300, "the first run asked {} times", asked(0));
            assert!(asked(2) < 40, "the last run asked {} times", asked(2));
        }
    }
}

/// Several of them, next to each other and far apart, cost each its own second.
#[test]
fn several_pages_that_always_fail_cost_their_seconds() {
    let moments = month();
    let bad = [0, 5 * HOUR, 300 * HOUR - 20, 300 * HOUR + 1, 300 * HOUR + 2, 699 * HOUR];
    let bad = bad.map(|second| number_at(&moments, second));
    let end = EPOCH + 701 * HOUR;
    survives(SEEDS, || {
        with_bad(
            schedule(World::of_records(month()), silent(), &[end, end + HOUR, end + DAY]),
            &bad,
        )
    });
}

/// A page that fails for a while leaves nothing behind once it works.
#[test]
fn a_page_that_works_again_is_archived() {
    let bad = number_at(&month(), 300 * HOUR);
    let end = EPOCH + 701 * HOUR;
    let plays = survives(SEEDS, || {
        let mut schedule =
            with_bad(schedule(World::of_records(month()), silent(), &[end, end + HOUR]), &[bad]);
        schedule.runs[1].faults = Faults::NONE;
        schedule
    });
    assert!(plays.iter().all(|played| played.counts.incomplete == 0));
}

/// Nobody answers from some request on: what came before is kept, and the run ends soon, however
/// the service is down.
#[test]
fn a_service_that_goes_down_ends_the_run() {
    let end = EPOCH + 701 * HOUR;
    for (from, down) in
        [(0, Down::Silent), (30, Down::Silent), (0, Down::Refuses), (30, Down::Unavailable)]
    {
        let plays = survives(SEEDS, || {
            let mut schedule = schedule(World::of_records(month()), silent(), &[end, end + HOUR]);
            schedule.runs[0].faults.down_from = Some((from, down));
            schedule
        });
        let after =
            |played: &Played| played.calls.iter().filter(|call| call.run == 0).count() - from;
        assert!(
            plays.iter().map(after).all(|requests| requests <= 16),
            "{down:?}: {:?}",
            plays.iter().map(after).max()
        );
        assert!(plays.iter().all(|played| played.counts.incomplete == 0));
    }
}

/// Runs an hour apart, the last two of which may see everything.
fn of_three_functions(runs: usize, forbidden: &(usize, Forbidden)) -> Schedule {
    let moments: Vec<i64> = (0..).map(|run| EPOCH + (701 + run) * HOUR).take(runs + 2).collect();
    let mut schedule = schedule(World::of_records(month()).among(3), silent(), &moments);
    schedule.runs[..runs].iter_mut().for_each(|run| run.faults.forbidden = Some(forbidden.clone()));
    schedule.settings.concurrency = 4;
    schedule
}

/// One function is not to be seen, from the first request of a run on or from a later one: the
/// others are archived by every run, and it is asked for little.
#[test]
fn access_that_is_refused_to_a_function_leaves_the_others_alone() {
    for (from, function) in [(0, 0), (0, 2), (12, 1)] {
        let forbidden = (from, Forbidden::Functions(vec![function]));
        for played in survives(SEEDS, || of_three_functions(2, &forbidden)) {
            let walk = played.calls.iter().filter(|call| call.run == 0).count();
            assert!(walk > 60, "{walk} requests");
            assert_eq!(played.exits, [3, 3, 0, 0]);
            let refused = |call: &&Call| call.answer == Answered::Failed(Meaning::Forbidden);
            let refused = played.calls.iter().filter(refused).count();
            assert!((2..=16).contains(&refused), "{refused} requests were refused");
            let again = |call: &&Call| {
                call.run == 1
                    && !matches!(call.asked, Asked::List { function: asked, .. } if asked == function)
            };
            let again = played.calls.iter().filter(again).count();
            assert!(again <= 30, "the first run left {again} requests for others");
        }
    }
}

/// Nothing is to be seen, or nothing any more: the run ends as refused, after a look at each
/// function at most.
#[test]
fn access_that_is_refused_to_all_ends_the_run() {
    for from in [0, 1, 12, 30] {
        let plays = survives(SEEDS, || of_three_functions(1, &(from, Forbidden::All)));
        let after =
            |played: &Played| played.calls.iter().filter(|call| call.run == 0).count() - from;
        assert!(
            plays.iter().map(after).all(|requests| requests <= 10),
            "{:?}",
            plays.iter().map(after).max()
        );
        assert!(plays.iter().all(|played| played.exits == [4, 0, 0]));
    }
}

/// A page that hangs takes a minute a try: no try begins later than the patience with a request
/// lasts, however few there were.
#[test]
fn a_page_that_hangs_is_not_waited_for_longer_than_patience_lasts() {
    let bad = number_at(&month(), 300 * HOUR + 5);
    let end = EPOCH + 701 * HOUR;
    let plays = survives(SEEDS, || {
        let mut schedule =
            with_bad(schedule(World::of_records(month()), silent(), &[end, end + DAY]), &[bad]);
        schedule.runs.iter_mut().for_each(|run| run.faults.bad_records_hang = true);
        schedule
    });
    let patience =
        i64::try_from(Settings::default().patience.total.as_millis()).expect("a short patience");
    for played in plays {
        let hung =
            played.calls.iter().filter(|call| call.answer == Answered::Failed(Meaning::Timeout));
        let first: Vec<_> = hung.filter(|call| call.run == 0).collect();
        let tries: Vec<_> = first.iter().filter(|call| call.asked == first[0].asked).collect();
        assert!(
            tries.iter().all(|call| call.sent <= first[0].sent + patience),
            "{} tries",
            tries.len()
        );
        assert!((2..=4).contains(&tries.len()), "{} tries", tries.len());
        let took = played.calls.iter().filter(|call| call.run == 0).map(|call| call.sent).max();
        assert!(took.is_some_and(|last| last < first[0].sent + 12 * 60_000), "{took:?}");
    }
}

/// A page that is always shown empty, with a count that agrees, is told by what the window counts
/// and shows around it: no run calls its time complete.
#[test]
fn a_page_that_is_always_shown_empty_is_never_believed() {
    // Some hundred walks in vain a play.
    const SEEDS: u64 = 4;
    for page_cap in [10, 2] {
        let bad = number_at(&month(), 300 * HOUR + 5);
        let end = EPOCH + 701 * HOUR;
        let plays = survives(SEEDS, || {
            let runs = [end, end + HOUR, end + 2 * HOUR, end + DAY];
            let readings = Readings { count: CountReading::Total, page_cap, ..silent() };
            let mut schedule =
                with_bad(schedule(World::of_records(month()), readings, &runs), &[bad]);
            schedule.runs.iter_mut().for_each(|run| run.faults.bad_records_blank = true);
            schedule
        });
        assert!(
            plays.iter().all(|played| played.exits == [3; 4]),
            "{page_cap}: {:?}",
            plays[0].exits
        );
    }
}
