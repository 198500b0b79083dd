//! Where the commands of the pages run: a directory without this machine's environment, and the
//! stand-in service beside it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_fgarchive");

/// Programs that the pages show and that only CI can be expected to have.
pub(crate) const LEFT_TO_CI: [&str; 4] = ["cargo", "sqlite3", "datasette", "duckdb"];

/// Does nothing, or what `cargo run --release --` would do.
const STUB: &str = "#!/bin/sh\nif [ \"$1\" = run ]; then shift 3; exec fgarchive \"$@\"; fi\n";

/// A directory with a home, stand-ins for the programs of others, and nothing of this machine's
/// environment.
pub(crate) struct Sealed(TempDir);

impl Sealed {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stubs = directory.path().join("stubs");
        fs::create_dir(&stubs).unwrap();
        fs::create_dir(directory.path().join("home")).unwrap();
        for name in LEFT_TO_CI {
            executable(&stubs.join(name), STUB);
        }
        Self(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let home = self.path().join("home");
        let own = Path::new(PROGRAM).parent().unwrap();
        let path =
            format!("{}:{}:/usr/bin:/bin", self.path().join("stubs").display(), own.display());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", home);
        command.current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// What a script prints; that it fails is a failure of the test.
    pub(crate) fn run(&self, script: &str, variables: &[(&str, &str)]) -> String {
        let mut command = self.command("sh");
        let output =
            command.args(["-euc", script]).envs(variables.iter().copied()).output().unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "{}\nafter:\n{stdout}\nstderr:\n{stderr}", output.status);
        stdout
    }

    pub(crate) fn fgarchive(&self, arguments: &[&str]) -> String {
        let output = self.command(PROGRAM).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(output.stderr));
        text(output.stdout)
    }
}

/// What `--help` prints.
pub(crate) fn help(arguments: &[&str]) -> String {
    let output = Sealed::new().command(PROGRAM).args(arguments).arg("--help").output().unwrap();
    text(output.stdout)
}

#[cfg(unix)]
fn executable(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// `fgarchive emulate …` as a page has it, ended when dropped.
pub(crate) struct Emulator {
    process: Child,
    pub(crate) printed: String,
}

impl Emulator {
    /// Starts the first line of a block; the lines below it are no part of the command.
    pub(crate) fn start(sealed: &Sealed, command_line: &str) -> Self {
        let arguments: Vec<&str> = command_line.split_whitespace().skip(1).collect();
        let mut process =
            sealed.command(PROGRAM).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let printed = lines.take(10).map(|line| line.unwrap() + "\n").collect();
        Self { process, printed }
    }

    pub(crate) fn address(&self) -> &str {
        self.printed.lines().next().unwrap()
    }

    pub(crate) fn exports(&self) -> &str {
        self.printed.split_once('\n').unwrap().1
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
