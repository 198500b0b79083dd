//! Days and hours of zones whose clocks change.

use super::*;
use pretty_assertions::assert_eq;

#[test]
fn hours_days_weeks_and_months_are_those_of_the_zone() {
    let counted = |since: &str, bucket: &str| {
        let rows = rows_in("Europe/Berlin", since, "throughput", Some(bucket));
        let cells = |row: &String| row.split(" | ").take(2).collect::<Vec<_>>().join(" ");
        rows.iter().map(cells).collect::<Vec<_>>()
    };
    let (spring, autumn) = ("2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z");
    assert_eq!(
        counted(spring, "hour"),
        [
            "2026-03-28T23:00:00+01:00 1",
            "2026-03-29T00:00:00+01:00 1",
            "2026-03-29T01:00:00+01:00 1",
            "2026-03-29T03:00:00+02:00 1",
            "2026-03-29T23:00:00+02:00 1",
            "2026-03-30T00:00:00+02:00 1",
        ]
    );
    assert_eq!(
        counted(autumn, "hour"),
        [
            "2026-10-24T23:00:00+02:00 1",
            "2026-10-25T00:00:00+02:00 1",
            "2026-10-25T02:00:00+02:00 1",
            "2026-10-25T02:00:00+01:00 1",
            "2026-10-25T23:00:00+01:00 1",
            "2026-10-26T00:00:00+01:00 1",
        ]
    );
    assert_eq!(counted(spring, "day"), ["2026-03-28 1", "2026-03-29 4", "2026-03-30 1"]);
    assert_eq!(counted(autumn, "day"), ["2026-10-24 1", "2026-10-25 4", "2026-10-26 1"]);
    assert_eq!(counted(autumn, "week"), ["2026-10-19 5", "2026-10-26 1"]);
    assert_eq!(counted(autumn, "month"), ["2026-10 6"]);
    let kolkata = rows_in("Asia/Kolkata", spring, "throughput", Some("hour"));
    assert!(kolkata[0].starts_with("2026-03-29T04:00:00+05:30 | 2 |"), "{kolkata:?}");
}

#[test]
fn a_day_of_23_or_25_hours_is_whole() {
    let days = |since: &str| rows_in("Europe/Berlin", since, "calendar", None);
    assert_eq!(
        days("2026-03-27T00:00:00Z"),
        [
            "2026-03-28 | 1 | 0 |  |  | 0",
            "2026-03-29 | 4 | 1 | settled | 100 | 25",
            "2026-03-30 | 1 | 0 | lost | 0 | 0",
            "2026-03-31 | 0 | 0 | lost | 0 |",
            "2026-04-01 | 0 | 0 | lost | 0 |",
        ]
    );
    let autumn = days("2026-10-23T00:00:00Z");
    // One of the 25 hours is proven, and of the last day the twelve that were set out to archive.
    assert_eq!(
        autumn[2..],
        ["2026-10-25 | 4 | 1 | lost | 4 | 25", "2026-10-26 | 1 | 0 | settled | 100 | 0"]
    );
}

#[test]
fn the_hours_of_a_week_and_the_busiest_are_those_of_the_zone() {
    let heat = rows_in("Europe/Berlin", "2026-10-23T00:00:00Z", "heatmap", None);
    assert_eq!(heat[2], "02:00 | 0 | 0 | 0 | 0 | 0 | 0 | 2", "an hour that came twice");
    assert_eq!(heat[0], "00:00 | 1 | 0 | 0 | 0 | 0 | 0 | 1");
    let discards = rows_in("Europe/Berlin", "2026-03-27T00:00:00Z", "discards", None);
    assert!(discards[0].contains("| 2026-03-29T00:00:00+01:00 | 1 |"), "{discards:?}");
    let months = rows_in("Asia/Shanghai", "2026-10-23T00:00:00Z", "growth", None);
    assert!(months[0].starts_with("2026-10 | 6 | 6 |"), "{months:?}");
}
