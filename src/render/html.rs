//! A page with one table, which needs nothing beside it and runs nothing: no script, no request.
//!
//! What a cell holds comes from outside and may be made to harm. It is escaped so that none of it
//! is read as HTML, and the policy of the page forbids a browser whatever would still get through.

use super::one_line::push_shown;
use super::text::{write_cell, write_text};
use crate::domain::Cell;
use std::io::{self, Write};

/// What stands before the table. The one style of the page is the only thing that its policy lets
/// in.
const BEGIN: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" \
  content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>fgarchive</title>
<style>
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .75em; text-align: left; vertical-align: top; }
th { background: Canvas; border-bottom: 2px solid #8888; white-space: nowrap; }
th { position: sticky; top: 0; }
td { border-bottom: 1px solid #8884; max-width: 60em; }
td { overflow-wrap: anywhere; white-space: pre-wrap; }
.n { text-align: right; white-space: nowrap; }
</style>
</head>
<body>
<table>
<thead>
";

const END: &str = "</tbody>\n</table>\n</body>\n</html>\n";

/// Writes rows of the table.
pub(super) struct Html<'w> {
    /// The columns, until their names are written.
    waiting: Option<Vec<String>>,
    out: &'w mut dyn Write,
}

impl<'w> Html<'w> {
    pub(super) fn begin(columns: &[String], out: &'w mut dyn Write) -> io::Result<Self> {
        out.write_all(BEGIN.as_bytes())?;
        Ok(Self { waiting: Some(columns.to_vec()), out })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        if let Some(columns) = self.waiting.take() {
            self.header(&columns, cells)?;
        }
        self.out.write_all(b"<tr>")?;
        for cell in cells {
            self.out.write_all(if is_number(cell) { b"<td class=\"n\">" } else { b"<td>" })?;
            write_cell(cell, self.out, push_escaped)?;
            self.out.write_all(b"</td>")?;
        }
        self.out.write_all(b"</tr>\n")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if let Some(columns) = self.waiting.take() {
            self.header(&columns, &[])?;
            writeln!(self.out, "<tr><td colspan=\"{}\">(no rows)</td></tr>", columns.len())?;
        }
        self.out.write_all(END.as_bytes())
    }

    /// The names stand over their values as the first row has them: numbers to the right.
    fn header(&mut self, columns: &[String], cells: &[Cell<'_>]) -> io::Result<()> {
        self.out.write_all(b"<tr>")?;
        for (at, name) in columns.iter().enumerate() {
            let is_number = cells.get(at).is_some_and(is_number);
            let begin: &[u8] = if is_number { b"<th class=\"n\">" } else { b"<th>" };
            self.out.write_all(begin)?;
            write_text(name, self.out, push_escaped)?;
            self.out.write_all(b"</th>")?;
        }
        self.out.write_all(b"</tr>\n</thead>\n<tbody>\n")
    }
}

fn is_number(cell: &Cell<'_>) -> bool {
    matches!(cell, Cell::Integer(_) | Cell::Real(_))
}

/// Appends a character as HTML shows it. Line breaks and tabs stay what they are; what else is no
/// printable character is shown as on a screen, since HTML knows no way to write most of it.
fn push_escaped(character: char, piece: &mut String) {
    match character {
        '&' => piece.push_str("&amp;"),
        '<' => piece.push_str("&lt;"),
        '>' => piece.push_str("&gt;"),
        '"' => piece.push_str("&quot;"),
        '\'' => piece.push_str("&#39;"),
        '\n' | '\t' => piece.push(character),
        other => push_shown(other, piece),
    }
}
