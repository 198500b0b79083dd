//! One answer in every form.

use super::*;
use pretty_assertions::assert_eq;
use std::borrow::Cow;

const MESSAGE: &str = "a|b \"c\",\nred \u{1b}[31m <x>";

fn rendered(format: Format, columns: &[&str], rows: &[Vec<Cell<'_>>]) -> String {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let mut out = Vec::new();
    let mut renderer = Renderer::begin(format, &columns, &mut out).unwrap();
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
    rendered(format, &["id", "records", "percent", "message"], &rows)
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
    assert!(answer.starts_with("[\n{\"id\":\"a1\",\"records\":1000000,"), "the order of the columns is kept");
    assert_eq!(rendered(Format::Json, &["id"], &[]), "[]\n");
}

#[test]
fn ndjson_is_an_object_a_line() {
    let answer = two_rows(Format::Ndjson);
    let objects: Vec<serde_json::Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((objects.len(), &objects[1]["records"]), (2, &7.into()));
    assert_eq!(rendered(Format::Ndjson, &["id"], &[]), "");
}

#[test]
fn columns_of_one_name_keep_their_values_in_json() {
    let row = [vec![Cell::Integer(1), Cell::Integer(2), Cell::Integer(3)]];
    assert_eq!(rendered(Format::Ndjson, &["a", "a_2", "a"], &row), "{\"a\":1,\"a_2\":2,\"a_3\":3}\n");
}

#[test]
fn csv_quotes_what_needs_it_and_leaves_null_empty() {
    assert_eq!(
        two_rows(Format::Csv),
        "id,records,percent,message\na1,1000000,33.5,\"a|b \"\"c\"\",\nred \u{1b}[31m <x>\"\nb,7,,cafe\n"
    );
    assert_eq!(rendered(Format::Csv, &["id"], &[]), "id\n");
    assert_eq!(rendered(Format::Csv, &["id"], &[vec![Cell::Null]]), "id\n\"\"\n", "a lone empty cell is still a row");
}

#[test]
fn markdown_escapes_what_ends_a_cell() {
    assert_eq!(
        two_rows(Format::Markdown),
        "| id | records | percent | message |\n| --- | --- | --- | --- |\n\
         | a1 | 1000000 | 33.5 | a\\|b \"c\",\\nred \\u{1b}[31m &lt;x> |\n| b | 7 |  | cafe |\n"
    );
}

#[test]
fn a_table_ends_somewhere() {
    let mut out = Vec::new();
    let mut renderer = Renderer::begin(Format::Table, &["n".to_owned()], &mut out).unwrap();
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
    let table = rendered(Format::Table, &["m"], &row);
    assert!(table.contains(&format!("{}…", "é".repeat(200))) && !table.contains(&"é".repeat(201)));
    assert!(rendered(Format::Csv, &["m"], &row).contains(&long));
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
    for format in Format::value_variants() {
        let mut closed = Closed;
        let written = Renderer::begin(*format, &["n".to_owned()], &mut closed)
            .and_then(|mut renderer| renderer.row(&[Cell::Integer(1)]).and_then(|()| renderer.finish()));
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe, "{format:?}");
    }
}
