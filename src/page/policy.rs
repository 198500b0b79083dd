//! What a browser may do for the page: use its one style, and nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The style of the page, which stands in it.
pub(super) const STYLE: &str = include_str!("../../templates/style.css");

/// The content security policy. The style is named by its hash (CSP 3, 2.3.1), so that no other one
/// is used, wherever it came from.
///
/// `form_action` tells where forms may lead: nowhere, or to the server that shows the page.
pub(crate) fn policy(form_action: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action {form_action}"
    )
}
