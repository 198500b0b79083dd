//! Taking the records as they are, after somebody else changed them.

use super::counts::accept_counts;
use super::digest::{Tampered, accept, load_tampered};
use super::summaries::sum_up_again;
use super::summary_sums::accept_pruned;
use crate::store::file::{Archive, StoreError};

impl Archive {
    /// Notes the records as they are, wherever they are not as they were written, and sums them up
    /// again; the days concerned.
    pub fn accept_records(&mut self) -> Result<Vec<Tampered>, StoreError> {
        self.transact(|transaction| {
            let tampered = load_tampered(transaction)?;
            accept(transaction, &tampered)?;
            if !tampered.is_empty() {
                accept_counts(transaction)?;
            }
            sum_up_again(transaction)?;
            accept_pruned(transaction)?;
            Ok(tampered)
        })
    }
}
