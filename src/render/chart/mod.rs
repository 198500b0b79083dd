//! Charts for a terminal: bars, a heat map, a calendar. Each fits the width of the screen, says by
//! characters what it says, with colour as an extra, and has a legend.

mod bars;
mod calendar;
mod cells;
mod drawing;
mod heat;
mod ink;
#[cfg(test)]
mod tests;

pub(super) use drawing::Drawing;
