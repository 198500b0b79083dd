//! `fgarchive serve`: the page live, on a port of this machine.

use super::globals::Globals;
use super::signals::interrupt;
use super::{failure, runtime};
use crate::config::{self, parse_duration};
use crate::error::{Failure, FailureKind};
use crate::store::file::Reader;
use crate::web::{self, Admission, Site};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;

/// The shortest token that is taken, in characters: some 80 bits of what a generator makes.
const SHORTEST_TOKEN: usize = 16;

/// The longest that is read of a file with a token, in bytes.
const LONGEST_TOKEN: u64 = 4096;

/// The arguments of `serve`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8400, allow_negative_numbers = true)]
    port: u16,
    /// Listen on this address of the machine, which others can reach, instead of on 127.0.0.1
    ///
    /// It needs --token-file. Nothing is encrypted: put a proxy that speaks https in front of it,
    /// or reach it through ssh.
    #[arg(long, value_name = "ADDR")]
    listen: Option<IpAddr>,
    /// Answer only whoever shows the token in this file: as the password that a browser asks for,
    /// with any name, or as `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How long one question of a page may work
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        default_value = "10s",
        allow_hyphen_values = true
    )]
    timeout: Duration,
}

/// Serves until it is told to stop.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let address = SocketAddr::new(args.listen.unwrap_or(Ipv4Addr::LOCALHOST.into()), args.port);
    let token = args.token_file.as_deref().map(read_token).transpose()?;
    if token.is_none() && !address.ip().is_loopback() {
        let message = format!("--listen {} shows the archive to other machines", address.ip());
        return Err(Failure::new(FailureKind::Usage, message)
            .hint("give --token-file FILE as well, so that it answers only who knows a token"));
    }
    // An archive that cannot be read is told here rather than to the first who asks.
    Reader::open(&globals.db).map_err(|error| error.into_failure(&globals.db))?;
    let site = Site { archive: globals.db.clone(), clock: globals.clock(), limit: args.timeout };
    let runtime = runtime::start()?;
    let stop = interrupt(&runtime)?;
    let served = runtime.block_on(async {
        let cannot = |error| {
            Failure::new(FailureKind::Usage, format!("cannot listen on {address}"))
                .because(error)
                .hint("--port 0 takes a free port")
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let bound = listener.local_addr().map_err(cannot)?;
        let admission =
            token.map_or(Admission::OwnName(bound), |token| Admission::by_token(&token));
        writeln!(out, "http://{bound}/").and_then(|()| out.flush()).map_err(failure::output)?;
        let stopped = async move { stop.cancelled().await };
        web::serve(listener, site, admission, stopped).await.map_err(cannot)
    });
    // An answer that is still being made is for nobody any more. It only reads, and is not waited
    // for.
    runtime.shutdown_background();
    served
}

fn read_token(file: &Path) -> Result<String, Failure> {
    let cannot = |why: &str| {
        Failure::new(FailureKind::Usage, format!("--token-file `{}`: {why}", file.display()))
            .hint("a token of some length can be made by `openssl rand -hex 32`")
    };
    let metadata = file.metadata().map_err(|error| cannot(&error.to_string()))?;
    if !metadata.is_file() || metadata.len() > LONGEST_TOKEN {
        return Err(cannot("it is no file with a token in it"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| cannot(&error.to_string()))?;
    let token = text.trim();
    if token.chars().count() < SHORTEST_TOKEN || token.chars().any(char::is_whitespace) {
        return Err(cannot(&format!(
            "a token has {SHORTEST_TOKEN} characters or more, on one line"
        )));
    }
    if let Some(warning) = config::exposed(file, "token in") {
        tracing::warn!("{warning}");
    }
    Ok(token.to_owned())
}
