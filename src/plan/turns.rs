//! In which order the functions of a run have their turns.
//!
//! The service forgets the records of all functions after the same time, so that the function whose
//! ledger ends earliest is the next to lose something. A run that ends before all had their turn
//! is followed by one that begins with those it left: none waits for more runs than it takes to
//! serve all of them once.

use crate::domain::Timestamp;

/// What functions are sorted by: those come first that were never archived, then those whose ledger
/// ends earliest.
pub fn key(ledger_end: Option<Timestamp>) -> impl Ord {
    ledger_end
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn who_was_never_archived_comes_first_and_then_who_waited_longest() {
        let at = |seconds| Some(Timestamp::from_unix(seconds));
        let mut ends = [at(30), None, at(10), at(20)];
        ends.sort_by_key(|end| key(*end));
        assert_eq!(ends, [None, at(10), at(20), at(30)]);
    }

    proptest! {
        /// Runs that serve some of many functions each: nobody is left out for longer than it takes
        /// to serve all once, however uneven the runs are.
        #[test]
        fn nobody_is_left_out(
            functions in 1_usize..60,
            served in prop::collection::vec(1_usize..20, 1..80),
        ) {
            let mut ledger_ends = vec![None; functions];
            let mut passed_over = vec![0; functions];
            for (run, many) in (0..).zip(served) {
                let mut order: Vec<usize> = (0..functions).collect();
                order.sort_by_key(|function| key(ledger_ends[*function]));
                for turns in &mut passed_over {
                    *turns += many;
                }
                for function in order.into_iter().take(many) {
                    ledger_ends[function] = Some(Timestamp::from_unix(run));
                    passed_over[function] = 0;
                }
                prop_assert!(passed_over.iter().all(|turns| *turns < functions + 20));
            }
        }
    }
}
