//! Charts as people see them.

use crate::domain::{Cell, Chart};
use crate::render::{Charset, Renderer, Screen};
use pretty_assertions::assert_eq;

const UNICODE: Screen =
    Screen { is_terminal: true, columns: Some(60), has_colour: false, charset: Charset::Unicode };
const ASCII: Screen = Screen { charset: Charset::Ascii, ..UNICODE };

/// The chart of rows, whose cells are numbers where they can be, and NULL where they are `-`.
fn drawn(chart: &str, columns: &str, rows: &str, screen: Screen) -> String {
    let chart = Chart::declared(chart).unwrap();
    let columns: Vec<String> = columns.split_whitespace().map(str::to_owned).collect();
    let mut out = Vec::new();
    let mut renderer = Renderer::draw(&chart, screen, &columns, &mut out);
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cell = |word: &str| match (word, word.parse(), word.parse()) {
            ("-", ..) => Cell::Null,
            (_, Ok(number), _) => Cell::Integer(number),
            (_, _, Ok(number)) => Cell::Real(number),
            _ => Cell::Text(word.replace('_', " ").into()),
        };
        let cells: Vec<Cell<'_>> = row.split_whitespace().map(cell).collect();
        renderer.row(&cells).unwrap();
    }
    renderer.finish().unwrap();
    let text = String::from_utf8(out).unwrap();
    let most = screen.columns.map_or(80, usize::from).max(40);
    assert!(text.lines().all(|line| line.chars().count() <= most || screen.has_colour), "{text}");
    text
}

const THROUGHPUT: &str = "bars: time=bucket value=records part=fail part=discard";
const BUCKETS: &str = "
    2026-03-01 800 0 0
    2026-03-02 100 0 0
    2026-03-03 801 100 1
    2026-03-06 1 1 0
    2026-03-07 0 0 0";

#[test]
fn bars_with_their_parts_and_where_time_is_left_out() {
    let bars = drawn(THROUGHPUT, "bucket records fail discard", BUCKETS, UNICODE);
    assert_eq!(
        bars,
        concat!(
            "bucket      records                            fail  discard\n",
            "----------  -------  ------------------------  ----  -------\n",
            "2026-03-01      800  ████████████████████████     0        0\n",
            "2026-03-02      100  ███                          0        0\n",
            "2026-03-03      801  ████████████████████▒▒▒░   100        1\n",
            "⋮\n",
            "2026-03-06        1  ▒                            1        0\n",
            "2026-03-07        0                               0        0\n",
            "\n",
            "█ records   ▒ of them fail   ░ of them discard\n",
        )
    );
}

#[test]
fn bars_in_ascii() {
    let bars = drawn(THROUGHPUT, "bucket records fail discard", BUCKETS, ASCII);
    assert_eq!(
        bars,
        concat!(
            "bucket      records                            fail  discard\n",
            "----------  -------  ------------------------  ----  -------\n",
            "2026-03-01      800  ########################     0        0\n",
            "2026-03-02      100  ###                          0        0\n",
            "2026-03-03      801  ####################xxx-   100        1\n",
            ":\n",
            "2026-03-06        1  x                            1        0\n",
            "2026-03-07        0                               0        0\n",
            "\n",
            "# records   x of them fail   - of them discard\n",
        )
    );
}

#[test]
fn bars_in_groups_with_lengths_of_time() {
    let rows = "a:one - 0 1 1.5\n a:one 1 2 4 6\n b:two 64 128 3 100\n b:two 3600 86400 2 66.67";
    let chart = "bars: group=function label=from_s label=below_s value=records note=percent";
    let bars = drawn(chart, "function from_s below_s records percent", rows, UNICODE);
    assert_eq!(
        bars,
        concat!(
            "a:one\n",
            "from   below  records                                percent\n",
            "-----  -----  -------  ----------------------------  -------\n",
            "       0s           1  ███████                           1.5\n",
            "1s     2s           4  ████████████████████████████        6\n",
            "\n",
            "b:two\n",
            "from   below  records                                percent\n",
            "-----  -----  -------  ----------------------------  -------\n",
            "1m 4s  2m 8s        3  ████████████████████████████      100\n",
            "1h     1d           2  ██████████████████▋             66.67\n",
        )
    );
}

#[test]
fn a_heat_map_tells_nothing_from_zero() {
    let rows = "00:00 0 10 200\n 01:00 - 150 90\n 02:00 55 100 160";
    let heat = drawn("heat: label=hour", "hour mon tue wed", rows, UNICODE);
    assert_eq!(
        heat,
        concat!(
            "hour     mon     tue     wed\n",
            "00:00  ··  0  ░░  10  ██ 200\n",
            "01:00         ▓▓ 150  ▒▒  90\n",
            "02:00  ▒▒ 55  ▒▒ 100  ██ 160\n",
            "\n",
            "· 0   ░ up to 50   ▒ up to 100   ▓ up to 150   █ up to 200\n",
        )
    );
    let ascii = drawn("heat: label=hour", "hour mon tue wed", rows, ASCII);
    assert_eq!(
        ascii,
        concat!(
            "hour     mon     tue     wed\n",
            "00:00      0  ..  10  ## 200\n",
            "01:00         ++ 150  ::  90\n",
            "02:00  :: 55  :: 100  ## 160\n",
            "\n",
            ". up to 50   : up to 100   + up to 150   # up to 200\n",
        )
    );
    let narrow = Screen { columns: Some(40), ..UNICODE };
    let large = "00:00 0 12345678 200000 1 2 3 4 5";
    let large = drawn("heat: label=hour", "hour a b c d e f g h", large, narrow);
    assert_eq!(
        large,
        concat!(
            "hour   a  b  c  d  e  f  g  h\n",
            "00:00 ·· ██ ░░ ░░ ░░ ░░ ░░ ░░\n",
            "\n",
            "· 0   ░ up to 3086419   ▒ up to 6172839\n",
            "▓ up to 9259258   █ up to 12345678\n",
        )
    );
}

#[test]
fn one_cell_far_above_the_others_does_not_hide_them() {
    let hours = (0..24).map(|hour| format!("{hour:02}:00 {} {}", 10 + hour, 20 + hour));
    let rows = hours.collect::<Vec<_>>().join("\n") + "\n 24:00 5000 1";
    let heat = drawn("heat: label=hour", "hour mon tue", &rows, UNICODE);
    let legend = "░ up to 14   ▒ up to 28   ▓ up to 42   █ up to 5000";
    assert_eq!(heat.lines().last().unwrap(), legend);
}

/// A bound is as exact as the numbers, so that each lies within that of its shade.
#[test]
fn shares_and_cells_without_anything_are_in_the_legend() {
    let rows = "00:00 0 4.44\n 01:00 13.75 27.5";
    let heat = drawn("heat: label=hour", "hour mon tue", rows, UNICODE);
    let legend = "· 0   ░ up to 6.87   ▒ up to 13.75   ▓ up to 20.62\n█ up to 27.50";
    assert!(heat.trim_end().ends_with(legend), "{heat}");
    let whole = drawn("heat: label=hour", "hour mon tue", "00:00 0 9", UNICODE);
    assert_eq!(whole.lines().last(), Some("· 0   ░ up to 2   ▒ up to 4   ▓ up to 6   █ up to 9"));
}

const CALENDAR: &str = "calendar: day=day records=records failed_percent=share state=state";
const DAYS: &str = "
    2026-01-28 5 0 -
    2026-01-29 5 0 settled
    2026-01-30 100 4 settled
    2026-01-31 100 20 proven
    2026-02-01 100 21 settled
    2026-02-02 0 0 settled
    2026-02-03 7 7 not_walked
    2026-02-04 0 0 unproven
    2026-02-05 9 0 lost
    2026-02-06 0 0 switched_off
    2026-02-07 0 - not_there
    2026-02-08 9 - switched_off";

#[test]
fn a_calendar_has_a_look_for_each_state() {
    let columns = "day records share state";
    assert_eq!(
        drawn(CALENDAR, columns, DAYS, UNICODE),
        concat!(
            "2026 Feb\n",
            "Mon    ·\n",
            "Tue    ?\n",
            "Wed  ? ?\n",
            "Thu  ░ X\n",
            "Fri  ▒ –\n",
            "Sat  ▓ ~\n",
            "Sun  █ ○\n",
            "\n",
            "░ none failed (1 day)   ▒ up to 5 % failed (1 day)\n",
            "▓ up to 20 % failed (1 day)   █ more failed (1 day)\n",
            "○ none has ended (1 day)   · empty (1 day)\n",
            "? not proven (3 days)   X lost (1 day)\n",
            "– switched off (1 day)   ~ not there (1 day)\n",
        )
    );
    assert_eq!(
        drawn(CALENDAR, columns, DAYS, ASCII),
        concat!(
            "2026 Feb\n",
            "Mon    _\n",
            "Tue    ?\n",
            "Wed  ? ?\n",
            "Thu  . X\n",
            "Fri  : -\n",
            "Sat  + ~\n",
            "Sun  # o\n",
            "\n",
            ". none failed (1 day)   : up to 5 % failed (1 day)\n",
            "+ up to 20 % failed (1 day)   # more failed (1 day)\n",
            "o none has ended (1 day)   _ empty (1 day)\n",
            "? not proven (3 days)   X lost (1 day)\n",
            "- switched off (1 day)   ~ not there (1 day)\n",
        )
    );
}

#[test]
fn a_calendar_of_two_years_is_cut_where_the_screen_ends() {
    let days = (0..730).map(|day| {
        let begin = crate::domain::Timestamp::from_unix(1_767_225_600 + day * 86_400).to_string();
        format!("{} 1 0 settled", &begin[..10])
    });
    let days = days.collect::<Vec<_>>().join("\n");
    let calendar = drawn(CALENDAR, "day records share state", &days, UNICODE);
    assert_eq!(
        calendar.lines().step_by(9).collect::<Vec<_>>(),
        [
            "2026 Jan Feb Mar  Apr May  Jun Jul Aug  Sep Oct Nov  Dec",
            "2027     Feb Mar Apr May  Jun Jul Aug  Sep Oct  Nov Dec",
            "░ none failed (730 days)"
        ]
    );
    assert_eq!(calendar.matches('░').count(), 730 + 1);
}

#[test]
fn nothing_from_outside_moves_the_terminal_or_the_layout() {
    let hostile = format!("\u{1b}[2J{}\u{202e} 7 0 0\n x 3 9 -", "w".repeat(500));
    let screen = Screen { has_colour: false, ..UNICODE };
    let bars = drawn(THROUGHPUT, "bucket records fail discard", &hostile, screen);
    assert!(!bars.contains('\u{1b}') && bars.contains("\\u{1b}[2Jwww"), "{bars}");
    let colour = Screen { has_colour: true, ..UNICODE };
    let bars = drawn(THROUGHPUT, "bucket records fail discard", BUCKETS, colour);
    assert!(bars.contains("\u{1b}[31m▒▒") && bars.contains("\u{1b}[0m"), "{bars:?}");
    assert_eq!(drawn(CALENDAR, "day records share state", "soon 1 1 lost", UNICODE), "(no days)\n");
    assert_eq!(drawn("heat: label=a", "a b", "", UNICODE), "(no rows)\n");
}
