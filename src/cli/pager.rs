//! A pager for answers that are taller than the terminal: `PAGER`, else `less`.
//!
//! What is written is held until it does not fit; then the pager is started and gets all of it.
//! What fits, and what no pager can be started for, goes where it would have gone without.

use super::failure;
use super::signals;
use super::terminal::Size;
use crate::error::Failure;
use crate::render::SafeWriter;
use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

/// The pager where `PAGER` names none.
const USUAL: &str = "less";

/// What `less` is told: to quit where all fits, to leave colours and the screen as they are, and to
/// cut long lines. One that `PAGER` names is told so where the variable `LESS` says nothing else.
const OPTIONS: &str = "FRSX";

/// Lets `answer` be written, through a pager if it is taller than the terminal.
pub(super) fn page(
    size: Size,
    out: &mut dyn Write,
    answer: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut pages = Pages { size, lines: 0, held: Vec::new(), pager: None, is_paged: true, out };
    let answered = answer(&mut pages);
    let ended = pages.end().map_err(failure::output);
    answered.and(ended)
}

struct Pages<'w> {
    size: Size,
    /// How many lines of the terminal are taken by what is held.
    lines: usize,
    held: Vec<u8>,
    pager: Option<Pager>,
    /// Whether a pager may still be started.
    is_paged: bool,
    out: &'w mut dyn Write,
}

struct Pager {
    child: Child,
    input: SafeWriter<ChildStdin>,
}

impl Pages<'_> {
    /// Whether what is held leaves no line of the terminal for the prompt.
    fn is_tall(&self) -> bool {
        self.lines + 1 > self.size.rows
    }

    /// Starts the pager, or goes on without one.
    fn turn(&mut self) -> io::Result<()> {
        self.is_paged = false;
        self.pager = Pager::start();
        let held = std::mem::take(&mut self.held);
        match &mut self.pager {
            Some(pager) => pager.input.write_all(&held),
            None => self.out.write_all(&held),
        }
    }

    /// Writes what is held, or waits until the pager has been left.
    fn end(self) -> io::Result<()> {
        match self.pager {
            Some(pager) => pager.wait(),
            None => self.out.write_all(&self.held),
        }
    }
}

impl Write for Pages<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.pager {
            Some(pager) => return pager.input.write(bytes),
            None if !self.is_paged => return self.out.write(bytes),
            None => {}
        }
        self.held.extend_from_slice(bytes);
        self.lines += bytes.split(|byte| *byte == b'\n').count() - 1;
        if self.is_tall() {
            self.turn()?;
        }
        Ok(bytes.len())
    }

    /// What is held is not written before it is known whether it fits.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.pager {
            Some(pager) => pager.input.flush(),
            None if !self.is_paged => self.out.flush(),
            None => Ok(()),
        }
    }
}

impl Pager {
    /// Nothing where it cannot be started: its absence must not cost the answer.
    fn start() -> Option<Self> {
        let mut command = command()?;
        signals::leave_interrupt_to_others();
        let mut child = match command.stdin(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => {
                tracing::debug!("no pager: {error}");
                return None;
            }
        };
        let input = SafeWriter::new(child.stdin.take()?);
        Some(Self { child, input })
    }

    /// The end of its input lets it come to its own.
    fn wait(self) -> io::Result<()> {
        let Self { mut child, input } = self;
        drop(input);
        child.wait().map(drop)
    }
}

/// `PAGER` is a program and its options, apart by blanks. An empty one, and `cat`, mean none.
fn command() -> Option<Command> {
    let named = std::env::var("PAGER").ok();
    let mut words = named.as_deref().unwrap_or(USUAL).split_whitespace();
    let program = words.next().filter(|program| *program != "cat")?;
    let mut command = Command::new(program);
    command.args(words);
    if named.is_none() {
        command.arg(format!("-{OPTIONS}"));
    } else if std::env::var_os("LESS").is_none() {
        command.env("LESS", OPTIONS);
    }
    Some(command)
}
