//! A failure as one object, for programs that read stderr.

use crate::error::{Failure, FailureKind};
use serde::Serialize;
use std::error::Error;

/// What ends a command that fails, with `--log-format json`.
#[derive(Debug, Serialize)]
pub(crate) struct FailureView<'a> {
    causes: Vec<String>,
    error: &'a str,
    exit_code: u8,
    hint: Option<&'a str>,
    level: &'static str,
}

impl<'a> FailureView<'a> {
    /// A failure with the chain of its causes, and its hint in words.
    pub(crate) fn of(failure: &'a Failure, hint: Option<&'a str>) -> Self {
        let mut causes = Vec::new();
        let mut cause = failure.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let exit_code = failure.kind.exit_code();
        Self { causes, error: &failure.message, exit_code, hint, level: "ERROR" }
    }

    /// A command line that cannot be read, and what would be one.
    pub(crate) fn of_usage(error: &'a str, hint: &'a str) -> Self {
        let exit_code = FailureKind::Usage.exit_code();
        Self { causes: Vec::new(), error, exit_code, hint: Some(hint), level: "ERROR" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;
    use std::io;

    #[test]
    fn the_json_of_a_failure_stays_as_it_is() {
        let failure =
            Failure::new(FailureKind::Archive, "cannot use it").because(io::Error::other("full"));
        assert_eq!(
            json_line(&FailureView::of(&failure, Some("sweep"))),
            "{\"causes\":[\"full\"],\"error\":\"cannot use \
             it\",\"exit_code\":6,\"hint\":\"sweep\",\"level\":\"ERROR\"}\n"
        );
        assert_eq!(
            json_line(&FailureView::of(&Failure::new(FailureKind::Unexpected, ""), None)),
            "{\"causes\":[],\"error\":\"\",\"exit_code\":1,\"hint\":null,\"level\":\"ERROR\"}\n"
        );
        assert_eq!(
            json_line(&FailureView::of_usage("no such option", "")),
            "{\"causes\":[],\"error\":\"no such \
             option\",\"exit_code\":2,\"hint\":\"\",\"level\":\"ERROR\"}\n"
        );
    }
}
