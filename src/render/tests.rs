//! One answer in every form.

use super::*;
use crate::domain::Cell;
use pretty_assertions::assert_eq;
use std::borrow::Cow;
use std::io::{self, Write};

const MESSAGE: &str = "a|b \"c\",\nred \u{1b}[31m <x>";

/// A form in a file.
fn style(format: Format) -> Style {
    Style { format, csv_safe: false, has_header: true, screen: Screen::default() }
}

fn rendered(style: Style, columns: &[&str], rows: &[Vec<Cell<'_>>]) -> String {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let mut out = Vec::new();
    let mut renderer = Renderer::begin(style, &columns, &mut out).unwrap();
    for row in rows {
        renderer.row(row).unwrap();
    }
    renderer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn two_rows(format: Format) -> String {
    let text = |text: &'static str| Cell::Text(Cow::Borrowed(text));
    let rows = [
        vec![text("a1"), Cell::Integer(1_000_000), Cell::Real(33.5), text(MESSAGE)],
        vec![text("b"), Cell::Integer(7), Cell::Null, Cell::Blob(&[0xca, 0xfe])],
    ];
    rendered(style(format), &["id", "records", "percent", "message"], &rows)
}

#[test]
fn a_table_aligns_numbers_and_disarms_control_characters() {
    assert_eq!(
        two_rows(Format::Table),
        concat!(
            "id  records  percent  message\n",
            "--- -------- -------- -----------------------------\n",
            "a1  1000000     33.5  a|b \"c\",\\nred \\u{1b}[31m <x>\n",
            "b         7           cafe\n",
        )
    );
}

#[test]
fn json_is_an_array_with_null() {
    let answer = two_rows(Format::Json);
    let rows: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(rows[0]["message"], MESSAGE);
    assert_eq!(rows[0]["records"], 1_000_000);
    assert_eq!(rows[1]["percent"], serde_json::Value::Null);
    assert_eq!(rows[1]["message"], "cafe");
    assert!(
        answer.starts_with("[\n{\"id\":\"a1\",\"records\":1000000,"),
        "the order of the columns is kept"
    );
    assert_eq!(rendered(style(Format::Json), &["id"], &[]), "[]\n");
}

#[test]
fn ndjson_is_an_object_a_line() {
    let answer = two_rows(Format::Ndjson);
    let objects: Vec<serde_json::Value> =
        answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((objects.len(), &objects[1]["records"]), (2, &7.into()));
    assert_eq!(rendered(style(Format::Ndjson), &["id"], &[]), "");
}

#[test]
fn columns_of_one_name_keep_their_values_in_json() {
    let row = [vec![Cell::Integer(1), Cell::Integer(2), Cell::Integer(3)]];
    assert_eq!(
        rendered(style(Format::Ndjson), &["a", "a_2", "a"], &row),
        "{\"a\":1,\"a_2\":2,\"a_3\":3}\n"
    );
}

#[test]
fn csv_quotes_what_needs_it_and_leaves_null_empty() {
    assert_eq!(
        two_rows(Format::Csv),
        "id,records,percent,message\na1,1000000,33.5,\"a|b \"\"c\"\",\nred \u{1b}[31m \
         <x>\"\nb,7,,cafe\n"
    );
    assert_eq!(rendered(style(Format::Csv), &["id"], &[]), "id\n");
    assert_eq!(
        rendered(style(Format::Csv), &["id"], &[vec![Cell::Null]]),
        "id\n\"\"\n",
        "a lone empty cell is still a row"
    );
}

#[test]
fn markdown_escapes_what_ends_a_cell() {
    assert_eq!(
        two_rows(Format::Markdown),
        "| id | records | percent | message |\n| --- | --- | --- | --- |\n| a1 | 1000000 | 33.5 | \
         a\\|b \"c\",\\\\nred \\\\u{1b}\\[31m &lt;x> |\n| b | 7 |  | cafe |\n"
    );
}

/// A row is a line and a tab ends a cell, whatever the cells hold, and what was written can be had
/// again.
#[test]
fn tsv_keeps_a_row_on_a_line() {
    assert_eq!(
        two_rows(Format::Tsv),
        "id\trecords\tpercent\tmessage\n\
         a1\t1000000\t33.5\ta|b \"c\",\\nred \u{1b}[31m <x>\nb\t7\t\tcafe\n"
    );
    let row = [vec![Cell::Text("a\tb\r\nc\\n\\".into()), Cell::Null]];
    assert_eq!(
        rendered(style(Format::Tsv), &["x\ty", "z"], &row),
        "x\\ty\tz\na\\tb\\r\\nc\\\\n\\\\\t\n"
    );
    assert_eq!(rendered(style(Format::Tsv), &["id"], &[]), "id\n");
}

#[test]
fn a_header_can_be_left_out_of_csv_and_tsv() {
    let row = [vec![Cell::Integer(1), Cell::Null]];
    let bare = |format| Style { has_header: false, ..style(format) };
    assert_eq!(rendered(bare(Format::Csv), &["a", "b"], &row), "1,\n");
    assert_eq!(rendered(bare(Format::Tsv), &["a", "b"], &row), "1\t\n");
    assert_eq!(rendered(bare(Format::Csv), &["a", "b"], &[]), "");
    assert_eq!(rendered(bare(Format::Tsv), &["a", "b"], &[]), "");
}

#[test]
fn a_line_has_a_value_and_its_name() {
    assert_eq!(
        two_rows(Format::Line),
        "id: a1\nrecords: 1000000\npercent: 33.5\nmessage: a|b \"c\",\\nred \\u{1b}[31m <x>\n\
         \nid: b\nrecords: 7\npercent:\nmessage: cafe\n"
    );
    assert_eq!(rendered(style(Format::Line), &["id"], &[]), "(no rows)\n");
    let screen =
        Screen { is_terminal: true, columns: Some(80), has_colour: true, ..Screen::default() };
    let row = [vec![Cell::Text("\u{1b}[1m\u{202e}".into())]];
    assert_eq!(
        rendered(Style { screen, ..style(Format::Line) }, &["a\u{1b}"], &row),
        "\u{1b}[1ma\\u{1b}:\u{1b}[0m \\u{1b}[1m\\u{202e}\n"
    );
}

/// What stands between the tags of the table.
fn table_of(page: &str) -> &str {
    page.split_once("<table>\n").unwrap().1.split_once("</table>").unwrap().0
}

#[test]
fn html_is_a_page_in_which_nothing_from_outside_is_read_as_html() {
    let page = two_rows(Format::Html);
    assert!(page.starts_with("<!DOCTYPE html>\n") && page.ends_with("</html>\n"), "{page}");
    assert!(page.contains("default-src 'none'") && !page.contains("<script"), "{page}");
    assert_eq!(
        table_of(&page),
        concat!(
            "<thead>\n<tr><th>id</th><th class=\"n\">records</th><th class=\"n\">percent</th>",
            "<th>message</th></tr>\n</thead>\n<tbody>\n",
            "<tr><td>a1</td><td class=\"n\">1000000</td><td class=\"n\">33.5</td>",
            "<td>a|b &quot;c&quot;,\nred \\u{1b}[31m &lt;x&gt;</td></tr>\n",
            "<tr><td>b</td><td class=\"n\">7</td><td></td><td>cafe</td></tr>\n</tbody>\n",
        )
    );
    let row = [vec![Cell::Text("</td><script>'&amp;\u{0}\u{202e}\r".into())]];
    let hostile = rendered(style(Format::Html), &["<b>"], &row);
    assert_eq!(
        table_of(&hostile),
        "<thead>\n<tr><th>&lt;b&gt;</th></tr>\n</thead>\n<tbody>\n<tr><td>&lt;/td&gt;&lt;script&gt;\
         &#39;&amp;amp;\\u{0}\\u{202e}\\r</td></tr>\n</tbody>\n"
    );
    let empty = rendered(style(Format::Html), &["a", "b"], &[]);
    assert_eq!(
        table_of(&empty),
        "<thead>\n<tr><th>a</th><th>b</th></tr>\n</thead>\n<tbody>\n\
         <tr><td colspan=\"2\">(no rows)</td></tr>\n</tbody>\n"
    );
}

/// Piece by piece, and nothing of a long text is lost where a piece ends.
#[test]
fn a_text_longer_than_a_piece_is_written_whole() {
    let long = "é\t<".repeat(10_000);
    let row = [vec![Cell::Text(long.as_str().into())]];
    let tsv = rendered(style(Format::Tsv), &["m"], &row);
    assert_eq!(tsv, format!("m\n{}\n", "é\\t<".repeat(10_000)));
    assert!(rendered(style(Format::Html), &["m"], &row).contains(&"é\t&lt;".repeat(10_000)));
    assert_eq!(
        rendered(style(Format::Line), &["m"], &row),
        format!("m: {}\n", "é\\t<".repeat(10_000))
    );
}

/// The same to a spreadsheet's reader but for the apostrophe, and numbers stay numbers.
#[test]
fn csv_can_be_written_so_that_no_spreadsheet_runs_it() {
    let text = |text: &'static str| Cell::Text(Cow::Borrowed(text));
    let row = [vec![text("=1+1"), text("@SUM(A1)"), text("-x"), text("a=b"), Cell::Integer(-5)]];
    let columns = ["a", "b", "c", "d", "=e"];
    let safe = Style { csv_safe: true, ..style(Format::Csv) };
    assert_eq!(rendered(safe, &columns, &row), "a,b,c,d,'=e\n'=1+1,'@SUM(A1),'-x,a=b,-5\n");
    assert_eq!(
        rendered(style(Format::Csv), &columns, &row),
        "a,b,c,d,=e\n=1+1,@SUM(A1),-x,a=b,-5\n"
    );
    let safe = Style { csv_safe: true, ..style(Format::Tsv) };
    assert_eq!(rendered(safe, &columns, &row), "a\tb\tc\td\t'=e\n'=1+1\t'@SUM(A1)\t'-x\ta=b\t-5\n");
}

#[test]
fn markdown_keeps_a_backslash_and_starts_no_link() {
    let row =
        [vec![Cell::Text(Cow::Borrowed("a\\|b")), Cell::Text(Cow::Borrowed("![x](y) `z` *w*"))]];
    let lines = rendered(style(Format::Markdown), &["m", "n"], &row);
    // GitHub takes every pair of a backslash and a sign for the sign, so `\\\|` is one cell's `\|`.
    assert_eq!(lines.lines().nth(2), Some("| a\\\\\\|b | !\\[x](y) \\`z\\` \\*w\\* |"));
}

/// JSON means the same however a character is written; a terminal does not.
#[test]
fn json_writes_what_a_terminal_would_obey_as_escapes() {
    let hostile = "\u{9b}2J \u{202e}abc\u{7f} é";
    let row = [vec![Cell::Text(Cow::Borrowed(hostile))]];
    for format in [Format::Json, Format::Ndjson] {
        let answer = rendered(style(format), &["m\u{200f}"], &row);
        assert!(answer.contains("\"m\\u200f\":\"\\u009b2J \\u202eabc\\u007f é\""), "{answer}");
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let object = if format == Format::Json { &value[0] } else { &value };
        assert_eq!(object["m\u{200f}"], hostile);
    }
}

#[test]
fn a_table_ends_somewhere() {
    let mut out = Vec::new();
    let mut renderer = Renderer::begin(style(Format::Table), &["n".to_owned()], &mut out).unwrap();
    let mut rows = 0;
    while renderer.wants_more() && rows < 20_000 {
        renderer.row(&[Cell::Integer(rows)]).unwrap();
        rows += 1;
    }
    assert_eq!(rows, 10_000);
}

#[test]
fn a_long_cell_is_cut_in_a_table_only() {
    let long = "é".repeat(300);
    let row = [vec![Cell::Text(Cow::Borrowed(&long))]];
    let table = rendered(style(Format::Table), &["m"], &row);
    assert!(table.contains(&format!("{}…", "é".repeat(200))) && !table.contains(&"é".repeat(201)));
    assert!(rendered(style(Format::Csv), &["m"], &row).contains(&long));
}

#[test]
fn a_closed_pipe_is_seen_through_every_form() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in Format::ALL {
        let mut closed = Closed;
        let written = Renderer::begin(style(format), &["n".to_owned()], &mut closed).and_then(
            |mut renderer| renderer.row(&[Cell::Integer(1)]).and_then(|()| renderer.finish()),
        );
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe, "{format:?}");
    }
}

/// Whoever bounds memory is told before it is taken, and not at every row.
#[test]
fn a_form_tells_what_it_holds_beside_the_cells() {
    let (mut out, columns) = (Vec::new(), vec!["x".repeat(1_000), "y".to_owned()]);
    let bytes = vec![0; 1 << 20];
    let row = [Cell::Blob(&bytes), Cell::Text(Cow::Borrowed("y"))];
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Table) {
        let bytes = if format == Format::Csv { 2 << 20 } else { 0 };
        assert_eq!(
            Renderer::begin(style(format), &columns, &mut out).unwrap().held_bytes(&row),
            bytes,
            "{format:?}"
        );
    }
    let mut table = Renderer::begin(style(Format::Table), &columns, &mut out).unwrap();
    let mut told = Vec::new();
    for _ in 0..2_000 {
        told.extend(Some(table.held_bytes(&row)).filter(|bytes| *bytes > 0));
        table.row(&row).unwrap();
    }
    // Each line is as wide as the name of its column.
    assert_eq!(told.len(), 4);
    assert!(told.is_sorted() && told[3] > 4 << 20 && told[3] < 5 << 20, "{told:?}");
}

/// Whoever asks a terminal gets lines of its width, and a header that stands out.
#[test]
fn a_screen_wraps_a_table_and_guards_csv() {
    let row = [vec![Cell::Text("one two three four".into()), Cell::Text("\u{1b}[2J".into())]];
    let screen =
        Screen { is_terminal: true, columns: Some(24), has_colour: false, ..Screen::default() };
    let on_screen = |format, screen| rendered(Style { screen, ..style(format) }, &["a", "b"], &row);
    let table = on_screen(Format::Table, screen);
    assert!(table.lines().count() > 3 && table.lines().all(|line| line.len() <= 24), "{table}");
    let in_colour = on_screen(Format::Table, Screen { has_colour: true, ..screen });
    assert!(in_colour.contains("\u{1b}[1m") && !table.contains('\u{1b}'), "{in_colour:?}");
    let narrow = on_screen(Format::Table, Screen { columns: None, has_colour: true, ..screen });
    assert_eq!(
        narrow,
        on_screen(Format::Table, Screen::default()),
        "a terminal that tells no width"
    );
    assert_eq!(on_screen(Format::Csv, screen), "a,b\none two three four,\\u{1b}[2J\n");
}

/// A value as commands print it.
pub(super) fn json_line(value: &impl serde::Serialize) -> String {
    let mut out = Vec::new();
    write_json_line(value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
