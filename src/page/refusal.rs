//! What stands in the place of a page that cannot be shown.

use super::policy::STYLE;
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
    let page = RefusalPage { style: STYLE, message, hint };
    out.write_all(page.render().map_err(io::Error::other)?.as_bytes())
}
