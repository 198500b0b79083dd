//! The ways on which somebody is told of alerts.

use super::command::{self, TIME_LIMIT};
use super::message::Message;
use super::repeat::repeat;
use crate::api::Listener;
use crate::clock::Clock;
use crate::plan::alerts::Channel;

/// Who is told of alerts.
#[derive(Debug)]
pub(crate) struct Channels {
    /// A program and its arguments.
    pub(crate) command: Option<Vec<String>>,
    pub(crate) webhook: Option<Listener>,
    pub(crate) clock: Clock,
}

impl Channels {
    /// Those that there are.
    pub(crate) fn all(&self) -> Vec<Channel> {
        let command = self.command.as_ref().map(|_| Channel::Command);
        command.into_iter().chain(self.webhook.as_ref().map(|_| Channel::Webhook)).collect()
    }

    /// Tells one of them, and whether it has heard. That it has not is said, and fails nothing: the
    /// next run tells it again.
    pub(crate) async fn tell(&self, channel: Channel, message: &Message) -> bool {
        let told = match channel {
            Channel::Command => self.run(message).await,
            Channel::Webhook => self.give(message).await,
        };
        if let Err(why) = &told {
            tracing::error!("{why}; the next run with --notify tries it again");
        }
        told.is_ok()
    }

    async fn run(&self, message: &Message) -> Result<(), String> {
        let Some(argv) = &self.command else { return Ok(()) };
        let told = command::run(argv, message.json(), &message.variables(), TIME_LIMIT).await;
        let program = argv.first().map(String::as_str).unwrap_or_default();
        told.map_err(|why| format!("cannot tell `{program}` of alerts: {why}"))
    }

    async fn give(&self, message: &Message) -> Result<(), String> {
        let Some(webhook) = &self.webhook else { return Ok(()) };
        let json = message.json();
        let told = repeat(|| webhook.give(json.clone(), self.clock.now())).await;
        told.map_err(|deaf| format!("cannot tell {} of alerts: {deaf}", webhook.host()))
    }
}
