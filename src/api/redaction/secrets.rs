//! All secrets of a client: those it was given, and the tokens it was issued since.

use super::redactor::Redactor;
use secrecy::SecretString;
use std::sync::{Arc, Mutex, PoisonError};

/// How many tokens are remembered, the newest ones: far more than are valid at a time.
const MOST_TOKENS: usize = 16;

/// All secrets of a client: those it was given, and the tokens it was issued since.
#[derive(Debug)]
pub(crate) struct Secrets {
    given: Vec<SecretString>,
    issued: Mutex<Issued>,
}

#[derive(Debug)]
struct Issued {
    tokens: Vec<SecretString>,
    redactor: Arc<Redactor>,
}

impl Secrets {
    pub(crate) fn new(given: Vec<SecretString>) -> Self {
        let redactor = Arc::new(Redactor::new(&given));
        Self { given, issued: Mutex::new(Issued { tokens: Vec::new(), redactor }) }
    }

    /// Notes a token; those before it stay secret.
    pub(crate) fn learn(&self, token: &SecretString) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.tokens.push(token.clone());
        let surplus = issued.tokens.len().saturating_sub(MOST_TOKENS);
        issued.tokens.drain(..surplus);
        issued.redactor = Arc::new(Redactor::new(self.given.iter().chain(&issued.tokens)));
    }

    /// Covers all secrets known by now.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.issued.lock().unwrap_or_else(PoisonError::into_inner).redactor)
    }

    /// Covers one secret more, which is not kept.
    pub(crate) fn redactor_with(&self, other: &SecretString) -> Arc<Redactor> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(Redactor::new(self.given.iter().chain(&issued.tokens).chain([other])))
    }
}
