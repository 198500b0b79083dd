//! Locks that are held for a moment.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic while one of these is held cannot leave it half changed: each holder does a single
/// assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
