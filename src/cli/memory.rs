//! The bound on the memory of a question.
//!
//! SQLite takes memory that it does not get for an error of the statement, Rust for the end of the
//! process. So the kernel refuses memory only while SQLite works. What this program then holds of
//! an answer itself is counted before it is taken.

use crate::store::file::StoreError;

/// What is held without a look at the bound.
const SLACK: u64 = 1 << 20;

/// How much private memory the process may have while it answers a question.
///
/// Only Linux counts the private memory of a process on its own (`RLIMIT_DATA` of setrlimit(2)).
/// Elsewhere memory is bounded by the lengths of values alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MemoryBound {
    most: Option<u64>,
}

impl MemoryBound {
    /// What the process has now, and so many bytes more.
    pub(super) fn beyond_present(bytes: u64) -> Self {
        Self { most: system::allocated().map(|present| present.saturating_add(bytes)) }
    }

    /// Lets SQLite work within the bound: beyond it, SQLite says that it is out of memory.
    pub(super) fn within<T>(self, work: impl FnOnce() -> T) -> T {
        let Some(most) = self.most else { return work() };
        let _bounded = system::Bounded::to(most);
        work()
    }

    /// Refuses to hold so many bytes more of an answer.
    pub(super) fn check_room(self, bytes: u64) -> Result<(), StoreError> {
        let Some(most) = self.most.filter(|_| bytes > SLACK) else { return Ok(()) };
        let present = system::allocated().unwrap_or(0);
        if present.saturating_add(bytes) > most { Err(StoreError::OutOfMemory) } else { Ok(()) }
    }
}

/// Takes every bound away, for the last words of a process.
pub(super) fn unbound() {
    system::unbound();
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// The private memory of this process, in bytes (`VmData` of proc(5)).
    pub(super) fn allocated() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// The bound at work, until it is dropped.
    pub(super) struct Bounded {
        before: Rlimit,
    }

    impl Bounded {
        pub(super) fn to(bytes: u64) -> Self {
            let before = getrlimit(Resource::Data);
            let current = Some(before.current.map_or(bytes, |current| current.min(bytes)));
            set(&Rlimit { current, ..before });
            Self { before }
        }
    }

    impl Drop for Bounded {
        fn drop(&mut self) {
            set(&self.before);
        }
    }

    pub(super) fn unbound() {
        let before = getrlimit(Resource::Data);
        set(&Rlimit { current: before.maximum, ..before });
    }

    /// A limit within the hard one can always be set.
    fn set(limit: &Rlimit) {
        let _ =
            setrlimit(Resource::Data, Rlimit { current: limit.current, maximum: limit.maximum });
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn allocated() -> Option<u64> {
        None
    }

    pub(super) struct Bounded;

    impl Bounded {
        pub(super) fn to(_bytes: u64) -> Self {
            Self
        }
    }

    pub(super) fn unbound() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_does_not_fit_is_refused_before_it_is_taken() {
        let bound = MemoryBound::beyond_present(64 << 20);
        assert!(bound.check_room(SLACK).is_ok() && bound.check_room(8 << 20).is_ok());
        assert!(matches!(bound.check_room(1 << 40), Err(StoreError::OutOfMemory)));
        let none = MemoryBound::default();
        assert!(none.check_room(1 << 40).is_ok() && none.within(|| true));
    }
}
