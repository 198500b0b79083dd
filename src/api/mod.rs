//! The service over HTTP: one method a call, a single attempt each, failures by what they mean.
//!
//! The only room with `reqwest`. It knows how the service spells things and hands out the words of
//! the domain; it never repeats a call, keeps no state but a connection pool and a token, and reads
//! no clock, file or variable: all that is given to [`Client::new`].

mod agency;
mod authorities;
mod client;
mod credentials;
mod encoding;
mod endpoint;
mod exchange;
mod failure;
mod headers;
mod http;
mod introduction;
mod listener;
mod projects;
mod proxy;
mod redaction;
mod refusal;
mod regions;
mod request;
mod session;
mod sign;
mod tokens;
mod trouble;
mod tunnel;
mod wire;

pub use authorities::{check_authorities, check_certificates};
pub use client::{Client, ClientSettings};
pub use credentials::{Credentials, PasswordLogin, ProjectScope};
pub use endpoint::{Endpoint, EndpointProblem, PlainHttp};
pub use exchange::Now;
pub use failure::{Asked, CallFailure, Cause, Meaning, ProxyRefusal};
pub use http::Timeouts;
pub use introduction::Introductions;
pub use listener::{Deaf, Listener, ListenerAddress, ListenerSettings};
pub use proxy::{Exemptions, Proxies, ProxyAddress, ProxyProblem};
pub use regions::{functions_url, iam_url, is_known_region, known_regions};
