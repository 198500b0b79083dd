//! The binary in a sealed environment, and what it said.

use crate::cloud::{Cloud, pause};
use fgarchive::emulator::{ACCESS_KEY, PROJECT_ID, REGION, SECRET_KEY, TOKEN};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_fgarchive");

/// A run that takes longer than this hangs.
const LONGEST_RUN: Duration = Duration::from_secs(100);

/// A home directory with an archive in it, and nothing of the machine's.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The same in memory where the system has such a place, for what runs the program thousands of
    /// times: a kill leaves there what it leaves on a disk, and nothing waits for one.
    pub(crate) fn in_memory() -> Self {
        TempDir::new_in("/dev/shm").map_or_else(|_| Self::new(), Self)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Where the archive is unless a test says otherwise.
    pub(crate) fn db(&self) -> PathBuf {
        self.join("fgarchive.db")
    }

    /// The program, told its arguments and nothing else.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Program {
        self.run_as(Command::new(BINARY), args)
    }

    /// The program, begun by another.
    pub(crate) fn run_as<A: AsRef<OsStr>>(
        &self,
        mut command: Command,
        args: impl IntoIterator<Item = A>,
    ) -> Program {
        command.args(args).env_clear().current_dir(self.path()).env("NO_COLOR", "1");
        command
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
        Program { command, input: String::new(), directory: self.path().to_owned() }
    }

    /// A run over every function, as fast as it goes.
    pub(crate) fn sync(&self, cloud: &Cloud) -> Program {
        self.sync_at(100_000, cloud)
    }

    /// A run over every function that asks so much a second and no more.
    pub(crate) fn sync_at(&self, rate: u32, cloud: &Cloud) -> Program {
        self.run(["sync", "--all-functions", "--max-rps", &rate.to_string()]).signed().to(cloud)
    }

    /// The same for the records of the last so many days.
    pub(crate) fn sync_since(&self, cloud: &Cloud, since: &str) -> Program {
        self.sync(cloud).args(["--since", since])
    }

    /// The names and bytes of everything in here, but for what every reader leaves beside an
    /// archive in write-ahead mode: an empty log, and the slate in shared memory.
    pub(crate) fn kept(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let is_slate = |path: &Path, bytes: &[u8]| {
            let name = path.to_string_lossy();
            name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty())
        };
        self.bytes().into_iter().filter(|(path, bytes)| !is_slate(path, bytes)).collect()
    }

    /// The names and bytes of everything in here.
    pub(crate) fn bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

/// The program about to be run.
pub(crate) struct Program {
    command: Command,
    input: String,
    directory: PathBuf,
}

impl Program {
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// What it finds on stdin; nothing otherwise.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Where the service is.
    pub(crate) fn to(self, cloud: &Cloud) -> Self {
        self.env("FGARCHIVE_ENDPOINT", &cloud.url).env("FGARCHIVE_REGION", REGION)
    }

    /// With the keys that the stand-in takes.
    pub(crate) fn signed(self) -> Self {
        self.env("HUAWEICLOUD_SDK_AK", ACCESS_KEY)
            .env("HUAWEICLOUD_SDK_SK", SECRET_KEY)
            .env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT_ID)
    }

    /// With its token instead of the keys.
    pub(crate) fn with_token(self) -> Self {
        let keyless = self.without("HUAWEICLOUD_SDK_AK").without("HUAWEICLOUD_SDK_SK");
        keyless.env("FGARCHIVE_AUTH_TOKEN", TOKEN).env("HUAWEICLOUD_SDK_PROJECT_ID", PROJECT_ID)
    }

    /// Begins it, for a test that has something to do meanwhile.
    pub(crate) fn start(mut self) -> Running {
        // Files instead of pipes: nobody has to read while it runs, and a killed program's last
        // words are kept.
        let output = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let input = output.path().join("stdin");
        fs::write(&input, &self.input).unwrap();
        self.command
            .stdin(File::open(input).unwrap())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        let child = self.command.spawn().unwrap();
        Running { child, output, began: Instant::now(), directory: self.directory }
    }

    /// Runs it to its end.
    pub(crate) fn output(self) -> Said {
        self.start().wait()
    }

    /// Runs it to its end on a terminal of that many columns and rows, and returns what the terminal
    /// got. stdin, on which stands what was given, and stderr are the terminal as well.
    pub(crate) fn on_terminal(mut self, columns: u16, rows: u16) -> (i32, String) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let open = || File::options().read(true).write(true).open(&name).unwrap();
        self.command.stdin(open()).stdout(open()).stderr(open());
        let mut child = self.command.spawn().unwrap();
        // The terminal ends when nobody has it open any more.
        drop(self.command);
        let (mut shown, mut master) = (Vec::new(), File::from(master));
        // The terminal keeps what is typed until somebody reads a line.
        master.write_all(self.input.as_bytes()).unwrap();
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = master.read(&mut piece) {
            shown.extend_from_slice(&piece[..length]);
        }
        let status = child.wait().unwrap();
        let text = String::from_utf8(shown).unwrap().replace("\r\n", "\n");
        (status.code().unwrap(), text)
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Said {
        self.output().exits(code)
    }
}

/// The program while it runs.
pub(crate) struct Running {
    child: Child,
    output: TempDir,
    began: Instant,
    directory: PathBuf,
}

impl Running {
    /// Sends a signal by its name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        // It may have ended by itself just now.
        let _ = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\" 2>/dev/null", "sh", name, &id])
            .status()
            .unwrap();
    }

    /// Its number in the system.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        fs::read_to_string(self.output.path().join("stdout")).unwrap()
    }

    /// Waits until something holds while it runs; fails when it ends before.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            assert!(!self.has_ended(), "it ended before {what}: {}", self.complaints());
            assert!(
                self.began.elapsed() < LONGEST_RUN,
                "it still waits for {what}: {}",
                self.complaints()
            );
            pause(Duration::from_millis(2));
        }
    }

    fn complaints(&self) -> String {
        fs::read_to_string(self.output.path().join("stderr")).unwrap()
    }

    /// Waits for its end, and kills what hangs.
    pub(crate) fn wait(mut self) -> Said {
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if self.began.elapsed() > LONGEST_RUN => {
                    self.child.kill().unwrap();
                    panic!("it hangs: {}", self.complaints());
                }
                None => pause(Duration::from_millis(3)),
            }
        };
        let took = self.began.elapsed();
        Said {
            status,
            stdout: self.printed(),
            stderr: self.complaints(),
            took,
            directory: self.directory,
        }
    }
}

/// What the program said, and how it ended.
pub(crate) struct Said {
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    directory: PathBuf,
}

impl Said {
    /// The exit code; a signal as its negative number.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| -self.status.signal().unwrap())
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "stderr: {}\nstdout: {}", self.stderr, self.stdout);
        self
    }

    /// stderr has this text, in which `~` stands for the home directory.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        let text = text.replace('~', &self.directory.display().to_string());
        assert!(self.stderr.contains(&text), "`{text}` is not in: {}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert_eq!(self.stdout, text);
        self
    }

    /// stdout as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// All it said, wherever.
    pub(crate) fn everything(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}
