//! What check-ups found, with their date.

use crate::domain::{FunctionUrn, Timestamp};
use crate::plan::probe::Finding;
use crate::store::file::{Archive, StoreError};
use rusqlite::named_params;

impl Archive {
    /// Keeps what a check-up found, with the function where it is about one.
    pub fn save_probes(
        &mut self,
        probed_at: Timestamp,
        findings: &[(Option<FunctionUrn>, Finding)],
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO probes (probed_at, function_urn, question, verdict, answer, evidence)
                 VALUES (:probed_at, :function_urn, :question, :verdict, :answer, :evidence)",
            )?;
            for (function, finding) in findings {
                insert.execute(named_params! {
                    ":probed_at": probed_at,
                    ":function_urn": function.as_ref().map(ToString::to_string),
                    ":question": finding.question,
                    ":verdict": finding.verdict.as_str(),
                    ":answer": finding.answer,
                    ":evidence": finding.evidence,
                })?;
            }
            Ok(())
        })
    }
}
