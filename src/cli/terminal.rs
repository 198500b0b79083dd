//! Where the output goes, and what is known of it: only here is it asked whether a terminal is
//! there.

use crate::render::{SafeWriter, Screen};
use std::io::{self, IsTerminal, Write};

/// Standard output: as it is into a file or a pipe, made safe on a terminal.
pub(super) fn stdout() -> Box<dyn Write> {
    let stdout = io::stdout().lock();
    if stdout.is_terminal() { Box::new(SafeWriter::new(stdout)) } else { Box::new(stdout) }
}

/// Where log lines go: stderr, made safe whatever it is, since a log file is shown on a terminal
/// sooner or later.
pub(super) fn log_lines() -> SafeWriter<io::Stderr> {
    SafeWriter::new(io::stderr())
}

/// Whether lines on stderr are coloured.
pub(super) fn stderr_has_colour() -> bool {
    io::stderr().is_terminal() && !no_colour()
}

/// The screen that standard output is shown on, if it is one.
pub(super) fn screen() -> Screen {
    if io::stdout().is_terminal() {
        Screen { is_terminal: true, columns: columns(), has_colour: !no_colour() }
    } else {
        Screen::default()
    }
}

/// How wide standard output is. A terminal that does not know its width says 0, as under some
/// schedulers and serial lines.
#[cfg(unix)]
fn columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

/// The width is known on Unix only. Elsewhere a row stays one line, and the terminal wraps it.
#[cfg(not(unix))]
fn columns() -> Option<u16> {
    None
}

/// Whether colour is unwanted (no-color.org: set, and not empty).
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
