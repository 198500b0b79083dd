//! Who is told of runs, and the way there.

use super::authorities::read_authorities;
use super::file::ConfigFile;
use super::proxy::load_proxies;
use super::source::USER_AGENT;
use super::variables::{Environment, usage};
use crate::api::ListenerSettings;
use crate::error::Failure;

/// The way to whom the configuration file names. That there must be one, somebody has said.
pub fn load_ping(
    file: Option<&ConfigFile>,
    env: Environment<'_>,
) -> Result<ListenerSettings, Failure> {
    let Some(ping) = file.and_then(ConfigFile::ping) else {
        let message = match file {
            None => "there is no configuration file that could say who is told".to_owned(),
            Some(file) => {
                format!("the configuration `{}` does not say who is told", file.path().display())
            }
        };
        return Err(usage(message)
            .hint("name an address as `ping` in the table [notify] of the configuration"));
    };
    let address = ping.value.clone();
    let authorities = if address.is_encrypted() { read_authorities(env)? } else { None };
    Ok(ListenerSettings {
        authorities,
        proxies: load_proxies(env, &[&address])?,
        address,
        user_agent: USER_AGENT.to_owned(),
    })
}
