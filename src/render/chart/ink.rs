//! With which characters and colours a chart is drawn, and how lines of it are put together.

use crate::render::one_line::on_one_line;
use crate::render::style::{Charset, Screen};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The width of a chart where no terminal tells one.
const USUAL_WIDTH: usize = 80;

/// Narrower than this a chart is not made, whatever the terminal says.
const LEAST_WIDTH: usize = 40;

/// The most characters of a text of the answer beside what is drawn.
const MOST_OF_TEXT: usize = 60;

/// How much of a bar's last cell is filled, by eighths.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Colours of the terminal's own palette, for the parts of a bar.
const PART_COLOURS: [&str; 2] = ["31", "33"];

/// From little to much, of the 256 colours.
const HEAT_COLOURS: [&str; 4] = ["38;5;222", "38;5;215", "38;5;208", "38;5;160"];

/// Characters and colours for one screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ink {
    charset: Charset,
    has_colour: bool,
    pub(super) width: usize,
}

impl Ink {
    pub(super) fn of(screen: Screen) -> Self {
        Self {
            charset: screen.charset,
            has_colour: screen.has_colour,
            width: screen.columns.map_or(USUAL_WIDTH, usize::from).max(LEAST_WIDTH),
        }
    }

    /// One character where all can be shown, another where only ASCII can.
    pub(super) fn either(self, unicode: char, ascii: char) -> char {
        if self.charset == Charset::Ascii { ascii } else { unicode }
    }

    /// Four steps from little to much.
    pub(super) fn shade(self, step: usize) -> char {
        let step = step.min(3);
        self.either(['░', '▒', '▓', '█'][step], ['.', ':', '+', '#'][step])
    }

    /// A piece of a bar, so many eighths of a cell long.
    pub(super) fn bar(self, eighths: usize) -> String {
        if self.charset == Charset::Ascii {
            return "#".repeat(eighths.div_ceil(8));
        }
        let mut bar = "█".repeat(eighths / 8);
        bar.extend(eighths.checked_rem(8).filter(|rest| *rest > 0).map(|rest| EIGHTHS[rest - 1]));
        bar
    }

    /// How a part of a bar looks.
    pub(super) fn part(self, place: usize) -> char {
        let place = place.min(1);
        self.either(['▒', '░'][place], ['x', '-'][place])
    }

    pub(super) fn in_part_colour(self, place: usize, text: &str) -> String {
        self.coloured(PART_COLOURS[place.min(1)], text)
    }

    pub(super) fn in_heat_colour(self, step: usize, text: &str) -> String {
        self.coloured(HEAT_COLOURS[step.min(3)], text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.coloured("1", text)
    }

    fn coloured(self, colour: &str, text: &str) -> String {
        if self.has_colour && !text.is_empty() {
            format!("\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// A text of the answer, on one line and not too long.
    pub(super) fn text(self, text: &str) -> String {
        let start: String = text.chars().take(MOST_OF_TEXT).collect();
        let is_cut = start.len() < text.len();
        let line = on_one_line(&start);
        if is_cut { format!("{line}{}", self.charset.ellipsis()) } else { line.into_owned() }
    }

    /// The begin of a text, no wider than that.
    pub(super) fn cut(self, text: &str, width: usize) -> String {
        if text.width() <= width {
            return text.to_owned();
        }
        let room = width.saturating_sub(self.charset.ellipsis().width());
        let mut used = 0;
        let fits = |character: &char| {
            used += character.width().unwrap_or(0);
            used <= room
        };
        let start: String = text.chars().take_while(fits).collect();
        start + self.charset.ellipsis()
    }

    /// Items of a legend, as many on a line as fit, the first line after a blank one.
    pub(super) fn legend(self, items: &[(String, String)]) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut used = self.width;
        for (sign, meaning) in items {
            let wide = 1 + 1 + meaning.width();
            if used + 3 + wide > self.width {
                lines.push(String::new());
                used = 0;
            }
            let line = lines.last_mut().map_or_else(String::new, std::mem::take);
            let apart = if used == 0 { "" } else { "   " };
            used += apart.len() + wide;
            if let Some(last) = lines.last_mut() {
                *last = format!("{line}{apart}{sign} {meaning}");
            }
        }
        lines
    }
}

/// A text with blanks behind it.
pub(super) fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// A text with blanks before it.
pub(super) fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// The widest of the texts.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(UnicodeWidthStr::width).max().unwrap_or(0)
}
