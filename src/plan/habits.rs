//! How the service fills its answers, as far as its pages have shown.

use crate::domain::{Marker, Page};

/// What other walks taught about how the service fills its answers.
///
/// It tells how to read an answer, never that a list is shorter than its own answers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub struct Habits {
    /// The longest page ever seen. It only helps to guess whether a page is the last one, which
    /// saves a request.
    pub longest_page: u64,
    /// Whether `count` was ever seen to be more than the length of its page.
    pub count_is_total: bool,
    /// Whether `next_marker` ever pointed beyond its page: a service that fills it where more
    /// follows says with a page that does not point on that nothing follows.
    pub points_on: bool,
    /// Whether `next_marker` ever was no position in the list: that it does not point on says
    /// nothing then. Learnt anew by every run.
    pub strays: bool,
    /// Whether two walks of a window, both to the end of the same list, contradicted the count
    /// alike: the count is no witness then, and only what is seen tells how long a list is. Learnt
    /// anew by every run.
    pub miscounts: bool,
}

impl Habits {
    /// Learns from the page that was asked for at a marker.
    pub fn learn(&mut self, marker: Marker, page: &Page) {
        self.longest_page = self.longest_page.max(page.length());
        self.count_is_total |= page.count.is_some_and(|count| count > page.length());
        self.points_on |= page.length() > 0 && page.next_marker.is_some_and(|next| next > marker);
        self.strays |=
            page.length() > 0 && !marker.is_continued_by(page.next_marker, page.length());
    }

    /// What both taught.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            longest_page: self.longest_page.max(other.longest_page),
            count_is_total: self.count_is_total || other.count_is_total,
            points_on: self.points_on || other.points_on,
            strays: self.strays || other.strays,
            miscounts: self.miscounts || other.miscounts,
        }
    }
}
