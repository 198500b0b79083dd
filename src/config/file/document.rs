//! The file as it is written: its keys, and of which type each is. What a value means is read
//! elsewhere.

use serde::Deserialize;
use toml::Spanned;

/// A text with its place in the file.
pub(super) type Text = Spanned<String>;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) archive: Option<Text>,
    pub(super) reports: Option<Vec<Text>>,
    pub(super) defaults: Option<Defaults>,
    pub(super) notify: Option<Notify>,
    pub(super) alert: Option<Vec<Alert>>,
    pub(super) source: Option<Vec<Spanned<Source>>>,
}

/// `[notify]`: who is told of runs and alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    pub(super) ping: Option<Text>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) webhook: Option<Text>,
    pub(super) max_age: Option<Text>,
    pub(super) ignore: Option<Spanned<Vec<Text>>>,
}

/// `[[alert]]`: of what somebody is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alert {
    pub(super) name: Text,
    pub(super) when: Text,
    pub(super) report: Option<Text>,
    pub(super) parameters: Option<Spanned<toml::Table>>,
    pub(super) over: Option<Text>,
    pub(super) functions: Option<Vec<Text>>,
    pub(super) rows: Option<Text>,
    #[serde(rename = "for")]
    pub(super) patience: Option<Text>,
}

/// How a source logs in: one of these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    pub(super) profile: Option<Text>,
    pub(super) env: Option<Text>,
    pub(super) file: Option<Text>,
    pub(super) command: Option<Vec<String>>,
    pub(super) metadata: Option<bool>,
}

/// Tables that share the settings which `[defaults]` gives and a source may give otherwise; serde's
/// `flatten` cannot be had together with an error about keys that nobody knows.
macro_rules! with_settings {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $key:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[$doc])* pub(super) $key: $type,)*
            pub(super) region: Option<Text>,
            pub(super) since: Option<Text>,
            pub(super) settle_delay: Option<Text>,
            pub(super) open_recheck: Option<Text>,
            pub(super) max_rps: Option<Spanned<f64>>,
            pub(super) concurrency: Option<Spanned<i64>>,
            pub(super) request_timeout: Option<Text>,
            pub(super) ca_cert: Option<Text>,
            pub(super) allow_plain_http: Option<Spanned<bool>>,
        }

        impl $name {
            /// The settings among the keys.
            pub(super) fn settings(&self) -> Settings<'_> {
                Settings {
                    region: self.region.as_ref(),
                    since: self.since.as_ref(),
                    settle_delay: self.settle_delay.as_ref(),
                    open_recheck: self.open_recheck.as_ref(),
                    max_rps: self.max_rps.as_ref(),
                    concurrency: self.concurrency.as_ref(),
                    request_timeout: self.request_timeout.as_ref(),
                    ca_cert: self.ca_cert.as_ref(),
                    allow_plain_http: self.allow_plain_http.as_ref(),
                }
            }
        }
    };
}

with_settings! {
    /// `[defaults]`: what holds for every source that does not say otherwise.
    Defaults {
        /// Of the run as a whole, in percent.
        verify_budget: Option<Spanned<f64>>,
    }
}

with_settings! {
    /// `[[source]]`: a project that is asked.
    Source {
        name: Text,
        project_id: Option<Text>,
        endpoint: Option<Text>,
        functions: Option<Spanned<Vec<Text>>>,
        exclude: Option<Vec<Text>>,
        credentials: Option<Spanned<Credentials>>,
    }
}

/// The settings of a table.
pub(super) struct Settings<'a> {
    pub(super) region: Option<&'a Text>,
    pub(super) since: Option<&'a Text>,
    pub(super) settle_delay: Option<&'a Text>,
    pub(super) open_recheck: Option<&'a Text>,
    pub(super) max_rps: Option<&'a Spanned<f64>>,
    pub(super) concurrency: Option<&'a Spanned<i64>>,
    pub(super) request_timeout: Option<&'a Text>,
    pub(super) ca_cert: Option<&'a Text>,
    pub(super) allow_plain_http: Option<&'a Spanned<bool>>,
}
