//! The bodies of refusals, which come in several shapes.

use super::careful::Fields;
use super::scalar::Scalar;

/// What an error body says, unabridged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorFields {
    pub(crate) code: Option<Box<str>>,
    pub(crate) message: Option<Box<str>>,
    pub(crate) request_id: Option<Box<str>>,
}

/// The names of code and message, in the order in which the vendor's SDKs look for them.
const SHAPES: [(&str, &str); 3] = [("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")];

/// Reads an error body, if it is a JSON object of one of the known shapes or holds one a level down.
pub(crate) fn error_fields(body: &str) -> Option<ErrorFields> {
    let fields: Fields<'_> = serde_json::from_str(body).ok()?;
    in_object(&fields).or_else(|| {
        let mut nested = fields.0.iter().filter_map(|(_, value)| serde_json::from_str(value.get()).ok());
        nested.find_map(|inner: Fields<'_>| in_object(&inner))
    })
}

fn in_object(fields: &Fields<'_>) -> Option<ErrorFields> {
    let text = |name| fields.get(name).and_then(|raw| Scalar::from_raw(raw).into_text());
    let said = SHAPES.iter().map(|(code, message)| (text(code), text(message)));
    let (code, message) = said.into_iter().find(|(code, message)| code.is_some() || message.is_some())?;
    Some(ErrorFields { code, message, request_id: text("request_id") })
}
