//! Running the command that prints credentials.

use crate::process::{in_own_group, kill};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::runtime::Builder;
use tokio::time::timeout;

/// How long a command may take: a password manager that asks a person has no person here.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The most that is read of what it prints, as of a file of keys.
const MOST_OUTPUT: u64 = 64 * 1024;

/// What a command prints. Neither that nor what it says on stderr is ever shown: both may hold
/// secrets, also where the command fails. It finds nothing on its stdin.
///
/// It gets a group of processes of its own, which is killed as a whole when the time is over or it
/// prints too much.
pub(super) fn output_of(argv: &[String], limit: Duration) -> Result<Vec<u8>, String> {
    let (program, arguments) = argv.split_first().ok_or("it is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    in_own_group(&mut command);
    let unwatched = |error: io::Error| format!("it cannot be watched: {error}");
    // Reading a pipe has a time limit on a runtime alone; that of a run begins later.
    let runtime = Builder::new_current_thread().enable_all().build().map_err(unwatched)?;
    runtime.block_on(watch(command, limit))
}

async fn watch(mut command: Command, limit: Duration) -> Result<Vec<u8>, String> {
    let child = command.spawn();
    let mut child = child.map_err(|error| format!("it cannot be started: {error}"))?;
    let group = child.id();
    let read = timeout(limit, read(&mut child)).await;
    if !matches!(read, Ok(Ok(Ran::Ended(..)))) {
        kill(group);
        // Only so that no dead process is left behind.
        let _ = child.wait().await;
    }
    match read {
        Err(_) => {
            let limit = humantime::format_duration(limit);
            Err(format!("it did not end within {limit}, and was killed"))
        }
        Ok(Err(error)) => Err(format!("its output cannot be read: {error}")),
        Ok(Ok(Ran::TooMuch)) => Err(format!("it prints more than {MOST_OUTPUT} bytes")),
        Ok(Ok(Ran::Ended(status, _))) if !status.success() => Err(format!("it failed ({status})")),
        Ok(Ok(Ran::Ended(_, output))) => Ok(output),
    }
}

enum Ran {
    Ended(ExitStatus, Vec<u8>),
    TooMuch,
}

async fn read(child: &mut Child) -> io::Result<Ran> {
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MOST_OUTPUT + 1).read_to_end(&mut output).await?;
    }
    if output.len() as u64 > MOST_OUTPUT {
        return Ok(Ran::TooMuch);
    }
    child.wait().await.map(|status| Ran::Ended(status, output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn run(script: &str, limit: Duration) -> Result<Vec<u8>, String> {
        output_of(&["/bin/sh", "-c", script].map(str::to_owned), limit)
    }

    #[test]
    fn what_is_printed_is_taken_and_what_fails_is_told_without_it() {
        let limit = Duration::from_secs(20);
        assert_eq!(run("echo ak=AK; echo noise >&2", limit), Ok(b"ak=AK\n".to_vec()));
        assert_eq!(run("cat", limit), Ok(Vec::new()), "nothing is on its stdin");
        let failed = run("echo hunter2; echo hunter2 >&2; exit 3", limit).unwrap_err();
        assert_eq!(failed, "it failed (exit status: 3)");
        let much = run("yes", limit).unwrap_err();
        assert_eq!(much, "it prints more than 65536 bytes");
        let missing = output_of(&["/nothing/there".to_owned()], limit).unwrap_err();
        assert!(missing.starts_with("it cannot be started: "), "{missing}");
    }

    #[test]
    fn what_hangs_is_killed_with_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let pid = directory.path().join("pid");
        let script = format!("sleep 60 & echo $! > {}; sleep 60", pid.display());
        let hung = run(&script, Duration::from_secs(1)).unwrap_err();
        assert_eq!(hung, "it did not end within 1s, and was killed");
        let child = std::fs::read_to_string(pid).unwrap();
        let state = format!("/proc/{}/stat", child.trim());
        // Dead, or waiting for whoever adopted it to take notice.
        let is_dead = || match std::fs::read_to_string(&state) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        let is_gone = async {
            for _ in 0..100 {
                if is_dead() {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            false
        };
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let gone = runtime.block_on(is_gone);
        assert!(gone, "the command's own child lives on");
    }
}
