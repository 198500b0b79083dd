//! What stands in the place of a page that cannot be shown.

use super::policy::STYLE;
use crate::render::on_one_line;
use askama::Template;
use std::io::{self, Write};

#[derive(Debug, Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    style: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
}

/// Writes why a page cannot be shown.
pub(crate) fn write_refusal(
    message: &str,
    hint: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    // What was asked for stands in it, whatever that is.
    let (message, hint) = (on_one_line(message), hint.map(on_one_line));
    let page = RefusalPage { style: STYLE, message: &message, hint: hint.as_deref() };
    out.write_all(page.render().map_err(io::Error::other)?.as_bytes())
}
