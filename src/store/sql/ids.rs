//! The numbers of rows, each a type of its own.

/// A function's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(in crate::store) i64);

#[cfg(test)]
impl FunctionId {
    /// A row that a test of another room needs.
    pub(crate) fn of_test(number: i64) -> Self {
        Self(number)
    }
}

/// A run's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunId(pub(in crate::store) i64);

/// The row of a source of a run: of what the run did in one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(in crate::store) i64);
