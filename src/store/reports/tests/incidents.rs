//! Hours in which more failed than usual.

use super::*;
use pretty_assertions::assert_eq;

/// So many records of an hour, of which so many failed, of function 1 or 2.
fn hour(world: &Fixture, function: i64, hour: &str, failed: i64, ended: i64) {
    let sql = "
        WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < :ended)
        INSERT INTO invocations (request_id, status, start_time, function_id, error_code,
                                 error_message, first_run_id, changed_run_id)
        SELECT printf('%s-%d-%d', :hour, :function, n),
               iif(n <= :failed, 'FAIL', 'SUCCESS'),
               printf('%s:%02d:00Z', :hour, n % 60),
               :function,
               iif(n <= :failed, 500, NULL),
               CASE WHEN n = 1 THEN 'refused' WHEN n <= :failed THEN 'no order ' || n END,
               1,
               1
          FROM n";
    let values = rusqlite::named_params! {
        ":function": function, ":hour": hour, ":failed": failed, ":ended": ended
    };
    world.connection.execute(sql, values).unwrap();
}

/// Two weeks of one function at noon, one record of twenty failing, and what the test adds.
fn usual_days(add: impl FnOnce(&Fixture)) -> Fixture {
    let world = Fixture::new();
    (1..=14).for_each(|day| hour(&world, 1, &format!("2026-03-{day:02}T12"), 1, 20));
    add(&world);
    world.accepted()
}

fn incidents(world: &Fixture, change: impl FnOnce(&mut Arguments)) -> Vec<String> {
    let rows = answer_of(world, "incidents", |arguments| {
        arguments.now = moment("2026-03-15T15:00:00Z");
        arguments.own = own("days", "14");
        change(arguments);
    });
    rows.unwrap().lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn an_hour_in_which_far_more_failed_than_usual_is_an_incident() {
    let world = usual_days(|world| {
        hour(world, 1, "2026-03-15T08", 8, 20);
        hour(world, 1, "2026-03-15T09", 1, 20);
        hour(world, 1, "2026-03-15T10", 10, 20);
        hour(world, 1, "2026-03-15T13", 12, 20);
    });
    let going_on = "default:report | 2026-03-15T13:00:00Z | 2026-03-15T14:00:00Z | 20 | 12 | 60 | 5 | going on | no order <number>";
    let merged = "default:report | 2026-03-15T08:00:00Z | 2026-03-15T11:00:00Z | 60 | 19 | 31.67 | 5 | over | no order <number>";
    let columns =
        "function | begin | end | records | failed | failed_pct | usual_pct | state | top_error";
    assert_eq!(answer_of(&world, "incidents", |_| ()).unwrap().lines().next(), Some(columns));
    assert_eq!(incidents(&world, |_| ()), [going_on, merged], "one and two hours lie between");
    let later = incidents(&world, |arguments| arguments.now = moment("2026-03-15T16:00:00Z"));
    assert!(later[0].contains("| over |"), "{later:?}");
}

#[test]
fn what_an_incident_takes_can_be_said() {
    let world = usual_days(|world| hour(world, 1, "2026-03-15T08", 6, 20));
    let found = |name: &'static str, value: &'static str| {
        let rows = incidents(&world, |arguments| arguments.own.extend(own(name, value)));
        rows.iter().filter(|row| !row.contains("not enough records")).count()
    };
    // The share of 30 % is six times the usual, and comes by chance with a probability of 0.0035.
    assert_eq!((found("level", "0.0036"), found("level", "0.0035")), (1, 0));
    assert_eq!((found("rho", "0"), found("rho", "0.02")), (1, 0));
    let likely = |name: &'static str, value: &'static str| {
        let rows = incidents(&world, |arguments| {
            arguments.own.extend(own("level", "1%"));
            arguments.own.extend(own(name, value));
        });
        rows.iter().filter(|row| !row.contains("not enough records")).count()
    };
    assert_eq!((likely("factor", "5"), likely("factor", "7")), (1, 0));
    assert_eq!((likely("least", "6"), likely("least", "7")), (1, 0));
    let refused = |name: &str, value: &str| {
        let refused = answer_of(&world, "incidents", |arguments| arguments.own = own(name, value));
        refused.unwrap_err().to_string()
    };
    for (name, value) in
        [("rho", "1"), ("level", "2"), ("days", "0"), ("least", "0"), ("factor", "0")]
    {
        assert_eq!(refused(name, value), format!("`{value}` is no value for `{name}`"));
    }
}

#[test]
fn a_range_keeps_the_days_before_it_for_comparison() {
    let world = usual_days(|world| {
        hour(world, 1, "2026-03-14T08", 10, 20);
        hour(world, 1, "2026-03-15T08", 10, 20);
    });
    let ranged = incidents(&world, |arguments| {
        arguments.since = Some(moment("2026-03-15T08:30:00Z"));
        arguments.until = Some(moment("2026-03-15T09:00:00Z"));
    });
    // The median of the fourteen days is theirs, whatever happened on one of them.
    let row = "default:report | 2026-03-15T08:00:00Z | 2026-03-15T09:00:00Z | 20 | 10 | 50 | 5 | over | no order <number>";
    assert_eq!(ranged, [row], "an hour that the range cuts is whole");
    let before = incidents(&world, |arguments| {
        arguments.until = Some(moment("2026-03-15T00:00:00Z"));
        arguments.functions = vec!["report".to_owned()];
    });
    assert_eq!(before.len(), 1, "{before:?}");
    let other = incidents(&world, |arguments| arguments.functions = vec!["invoice".to_owned()]);
    assert_eq!(other, [""; 0]);
}

#[test]
fn where_nothing_failed_before_one_failure_more_is_usual() {
    let world = Fixture::new();
    (1..=14).for_each(|day| hour(&world, 1, &format!("2026-03-{day:02}T12"), 0, 20));
    hour(&world, 1, "2026-03-15T08", 3, 20);
    hour(&world, 1, "2026-03-15T12", 4, 20);
    // One of 281 fails. Of twenty, three do so by chance with a probability of 0.002, and four of
    // 0.0004.
    let row = "default:report | 2026-03-15T12:00:00Z | 2026-03-15T13:00:00Z | 20 | 4 | 20 | 0.36 | over | no order <number>";
    assert_eq!(incidents(&world.accepted(), |_| ()), [row]);
}

#[test]
fn too_few_records_are_an_answer() {
    let world = Fixture::new();
    (1..=14).for_each(|day| hour(&world, 1, &format!("2026-03-{day:02}T12"), 0, 2));
    (14..=15).for_each(|day| hour(&world, 2, &format!("2026-03-{day:02}T12"), 20, 20));
    let rows = incidents(&world.accepted(), |_| ());
    assert_eq!(
        rows,
        [
            "billing:invoice | 2026-03-14T12:00:00Z | 2026-03-15T13:00:00Z | 40 | 40 | 100 |  | not enough records |",
            "default:report | 2026-03-01T12:00:00Z | 2026-03-14T13:00:00Z | 28 | 0 | 0 |  | not enough records |",
        ],
        "few records an hour, or nothing that was usual before"
    );
}
