//! No secret is shown or stored, whatever way it comes back: in a header, in a message, in a
//! record, in an error of a library.
//!
//! A text is searched for each secret in its usual forms (`forms`: as it is, base64, hexadecimal,
//! other character sets), and again with each spelling undone, as often as anything is left to undo
//! (`layers`, `spelling`): escapes of JSON, of URLs and of HTML, and what a text is folded with, be
//! it blanks, line breaks, tags or what is not seen at all.
//!
//! A secret of fewer than four characters is not looked for: it is in every text, and whoever wants
//! it has guessed it sooner. One that cannot be told from ordinary text (`ordinary`) is covered in
//! words, but not in ids, times and states; one of fewer than eight where it stands as a word of
//! its own, so that the password `test` does not cut into `latest`. Of a longer one the first
//! sixteen bytes are enough, since a service may show the beginning only; whatever else of it
//! stands in the same text is then covered, too.

mod entities;
mod finder;
mod forms;
mod json;
mod layers;
mod ordinary;
mod redactor;
mod secrets;
mod spelling;
#[cfg(test)]
mod tests;

pub(super) use forms::Scope;
pub(super) use ordinary::is_ordinary;
pub(super) use redactor::Redactor;
pub(super) use secrets::Secrets;
