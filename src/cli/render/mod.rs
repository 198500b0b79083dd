//! How an answer is written: a table for people, JSON, CSV and Markdown for their tools.
//!
//! All but the table are written row by row, so that an answer of any length passes through. NULL is `null` in JSON and
//! nothing elsewhere.

mod csv;
mod json;
mod markdown;
mod renderer;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub(super) use json::write_line as write_json_line;
pub(super) use renderer::{Format, Renderer, Style};
