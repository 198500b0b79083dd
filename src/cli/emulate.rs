//! `fgarchive emulate`: the stand-in cloud on a port of this machine.

use super::globals::Globals;
use super::signals::interrupt;
use super::{failure, runtime};
use crate::emulator::{self, Emulator, Options, export_lines};
use crate::error::{Failure, FailureKind};
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// The arguments of `emulate`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = emulator::closing_help())]
pub(super) struct Args {
    /// Write every record of this world to a new file, one JSON object a line, before serving
    #[arg(long, value_name = "FILE")]
    dump_world: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// Serves until it is told to stop.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let service = build(&args.options, globals)?;
    if let Some(path) = &args.dump_world {
        dump(&service, path)?;
    }
    let runtime = runtime::start()?;
    let stop = interrupt(&runtime)?;
    runtime.block_on(async {
        let listener = listen(args.options.port).await?;
        let address = listener
            .local_addr()
            .map_err(|error| cannot_serve(args.options.port).because(error))?;
        let base_url = format!("http://{address}");
        // The address alone on the first line, so that a script can read it; then the way there for
        // a person.
        write!(out, "{base_url}\n{}", export_lines(&base_url))
            .and_then(|()| out.flush())
            .map_err(failure::output)?;
        let stopped = async move { stop.cancelled().await };
        emulator::serve(listener, service, stopped)
            .await
            .map_err(|error| cannot_serve(args.options.port).because(error))
    })
}

/// The service that the options describe, on the machine's clock.
pub(super) fn build(options: &Options, globals: &Globals) -> Result<Emulator, Failure> {
    let clock = globals.clock();
    options.build(move || clock.now()).map_err(|cause| Failure::new(FailureKind::Usage, cause))
}

/// A listener on this machine only.
pub(super) async fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| cannot_serve(port).because(error))
}

fn cannot_serve(port: u16) -> Failure {
    Failure::new(FailureKind::Usage, format!("cannot serve on port {port}"))
        .hint("--port 0 takes a free one")
}

fn dump(service: &Emulator, path: &Path) -> Result<(), Failure> {
    // A file that exists may be anything, so it is never overwritten.
    let written = File::create_new(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        // A file that could not be written whole is removed, so that nobody takes it for the world.
        service
            .dump(&mut file)
            .and_then(|()| file.flush())
            .inspect_err(|_| drop(fs::remove_file(path)))
    });
    let unwritable = format!("cannot write the world to `{}`", path.display());
    written.map_err(|error| {
        let failure = Failure::new(FailureKind::Usage, unwritable);
        let is_taken = error.kind() == ErrorKind::AlreadyExists;
        let failure = failure.because(error);
        if is_taken {
            failure.hint("it was left as it was; give a path where nothing is")
        } else {
            failure
        }
    })
}
