//! How an answer is written: a table, lines or a chart for people, a page for their browsers, JSON,
//! CSV, TSV and Markdown for their tools, and how texts and lengths of time are put into words.
//!
//! Nothing here asks what it writes to: the writer and the [`Screen`] are given. All but the table
//! and the chart are written row by row, so that an answer of any length passes through. NULL is
//! `null` in JSON and nothing elsewhere.

mod chart;
mod csv;
mod html;
mod json;
mod length;
mod line;
mod markdown;
mod one_line;
mod renderer;
mod safe;
mod shell;
mod style;
mod table;
mod table_layout;
#[cfg(test)]
mod tests;
mod text;
mod tsv;
pub(crate) mod views;

pub(crate) use json::write_line as write_json_line;
pub(crate) use length::{in_two_units, number_and_length};
pub(crate) use one_line::{is_unsafe, on_one_line};
pub(crate) use renderer::Renderer;
pub(crate) use safe::SafeWriter;
pub(crate) use shell::shell_word;
pub(crate) use style::{Charset, Format, Screen, Style};
