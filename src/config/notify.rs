//! Who is told of runs and alerts, and the ways there.

use super::authorities::Authorities;
use super::file::{ConfigFile, Notify};
use super::proxy::load_proxies;
use super::source::USER_AGENT;
use super::variables::{Environment, usage};
use crate::api::{ListenerAddress, ListenerSettings};
use crate::error::Failure;

/// Who is told, as the configuration file says.
pub struct Told {
    /// Who is told that a run begins, and how it ended.
    pub ping: Option<ListenerSettings>,
    /// The address that is told of alerts.
    pub webhook: Option<ListenerSettings>,
    /// The command that is told of alerts.
    pub command: Option<Vec<String>>,
}

/// Whom the configuration file names, and the ways there. That there must be somebody, somebody
/// has said.
pub fn load_told(
    file: Option<&ConfigFile>,
    env: Environment<'_>,
    authorities: &Authorities,
) -> Result<Told, Failure> {
    let Some(notify) = file.map(ConfigFile::notify).filter(|notify| notify.is_anybody()) else {
        let message = match file {
            None => "there is no configuration file that could say who is told".to_owned(),
            Some(file) => {
                format!("the configuration `{}` does not say who is told", file.path().display())
            }
        };
        return Err(usage(message).hint(
            "name an address as `ping` or `webhook`, or a `command`, in the table [notify] of the \
             configuration",
        ));
    };
    let Notify { ping, webhook, command, .. } = notify;
    let ping = ping.as_ref().map(|set| ListenerAddress::from(set.value.clone()));
    let webhook = webhook.as_ref().map(|set| set.value.clone());
    let endpoints: Vec<_> =
        [&ping, &webhook].into_iter().flatten().map(ListenerAddress::endpoint).collect();
    let needs_authorities = endpoints.iter().any(|it| it.is_encrypted());
    let authorities = if needs_authorities { authorities.read(env)? } else { None };
    let proxies = load_proxies(env, &endpoints)?;
    let settings = |address: ListenerAddress| ListenerSettings {
        address,
        authorities: authorities.clone(),
        proxies: proxies.clone(),
        user_agent: USER_AGENT.to_owned(),
    };
    Ok(Told {
        webhook: webhook.map(settings),
        command: command.as_ref().map(|set| set.value.clone()),
        ping: ping.map(settings),
    })
}
