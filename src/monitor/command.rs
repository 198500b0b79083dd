//! The command that is told of alerts: it finds the message on its stdin.

use crate::process::{in_own_group, kill};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a command may take: a run waits for it.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How long its output is waited for once it has ended: what it left behind may have it open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// So much of what it says is shown where it fails, in bytes: the end, which tells why.
const MOST_SHOWN: usize = 1_000;

/// Hands a message to a command. What it prints is read, and shown only where it fails.
///
/// It gets a group of processes of its own, which is killed as a whole when the time is over.
pub(super) async fn run(
    argv: &[String],
    message: String,
    variables: &[(&'static str, String)],
    limit: Duration,
) -> Result<(), String> {
    let (program, arguments) = argv.split_first().ok_or("it is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    in_own_group(&mut command);
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let group = child.id();
    let said = [listen(child.stdout.take()), listen(child.stderr.take())];
    write(&mut child, message);
    let ended = timeout(limit, child.wait()).await;
    if ended.is_err() {
        kill(group);
        // Only so that no dead process is left behind.
        let _ = child.wait().await;
    }
    let why = match ended {
        Ok(Ok(status)) if status.success() => {
            said.iter().for_each(JoinHandle::abort);
            return Ok(());
        }
        Ok(ended) => failed(ended),
        Err(_) => {
            let limit = humantime::format_duration(limit);
            format!("it did not end within {limit}, and was killed")
        }
    };
    let mut words = Vec::new();
    for said in said {
        words.extend(last_words(said).await);
    }
    let words = String::from_utf8_lossy(&words);
    let words: Vec<&str> = words.split(char::is_control).filter(|it| !it.is_empty()).collect();
    Err(if words.is_empty() { why } else { format!("{why}: {}", words.join(" ")) })
}

fn failed(ended: io::Result<ExitStatus>) -> String {
    match ended {
        Ok(status) => format!("it failed ({status})"),
        Err(error) => format!("it cannot be watched: {error}"),
    }
}

/// Writes the message beside everything else: a command that does not read it fails nothing.
fn write(child: &mut Child, message: String) {
    if let Some(mut stdin) = child.stdin.take() {
        tokio::spawn(async move {
            let _ = stdin.write_all(message.as_bytes()).await;
        });
    }
}

/// Reads an output to its end, and keeps the last of it.
fn listen(output: Option<impl AsyncRead + Unpin + Send + 'static>) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let (mut kept, mut piece) = (Vec::new(), [0; 4_096]);
        if let Some(mut output) = output {
            while let Ok(length @ 1..) = output.read(&mut piece).await {
                kept.extend_from_slice(&piece[..length]);
                kept.drain(..kept.len().saturating_sub(MOST_SHOWN));
            }
        }
        kept
    })
}

async fn last_words(mut said: JoinHandle<Vec<u8>>) -> Vec<u8> {
    let words = timeout(LAST_WORDS, &mut said).await;
    said.abort();
    words.ok().and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use std::time::Instant;
    use tokio::runtime::Builder;

    fn tell(script: &str, message: &str, limit: Duration) -> Result<(), String> {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        let variables = [("FGARCHIVE_ALERTS_BEGAN", "2".to_owned())];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&argv, message.to_owned(), &variables, limit))
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn a_command_gets_the_message_and_its_output_is_shown_where_it_fails() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        let script = format!("cat > {path}; echo $FGARCHIVE_ALERTS_BEGAN >> {path}");
        assert_eq!(tell(&script, "told ", LONG), Ok(()));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "told 2\n");
        // More than a pipe holds, and nobody reads it.
        assert_eq!(tell("true", &"x".repeat(1 << 20), LONG), Ok(()));
        assert_eq!(tell("yes | head -c 1000000", "", LONG), Ok(()));
        let failed = tell("echo one; echo two >&2; exit 3", "", LONG).unwrap_err();
        assert_eq!(failed, "it failed (exit status: 3): one two");
        let much = tell("yes | head -c 1000000; exit 1", "", LONG).unwrap_err();
        assert!(much.len() < 2 * MOST_SHOWN, "{much}");
        let argv = ["/nothing/there".to_owned()];
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let missing = runtime.block_on(run(&argv, String::new(), &[], LONG)).unwrap_err();
        assert!(missing.starts_with("it cannot be started: "), "{missing}");
    }

    #[test]
    fn what_hangs_is_killed_and_what_it_leaves_behind_is_not_waited_for() {
        let began = Instant::now();
        let hung = tell("echo hangs; sleep 60 & sleep 60", "", Duration::from_secs(1)).unwrap_err();
        assert_eq!(hung, "it did not end within 1s, and was killed: hangs");
        assert_eq!(tell("sleep 9 & exit 0", "", LONG), Ok(()));
        assert!(began.elapsed() < Duration::from_secs(8));
    }
}
