//! The real binary as a separate process with its own data folder.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
pub use tempfile::TempDir as TempFolder;

use super::mongod::{installed_mongod, named_mongod};

/// Returns the command `myspares` with an environment that has only the test settings and what finds mongod.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myspares"));
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "MONGOD_BIN"));
    if let (None, Some(installed)) = (named_mongod(), installed_mongod()) {
        command.env("MONGOD_BIN", installed);
    }
    command.current_dir(folder).env("DATA_DIR", folder).env("BCRYPT_COST", "4").env("PORT", "0");
    command
}

/// Runs a subcommand, waits for its end and returns its output.
pub fn myspares(folder: &Path, vars: &[(&str, &str)], args: &[&str]) -> Output {
    command(folder).envs(vars.iter().copied()).args(args).output().expect("the binary runs")
}

/// Starts a subcommand that runs until it receives a signal.
pub fn start(folder: &Path, args: &[&str]) -> Child {
    command(folder).args(args).stdout(Stdio::null()).spawn().expect("the binary starts")
}

/// Sends a signal and waits for the end of the process. Returns how long that took and the exit code.
pub fn end(child: &mut Child, signal: Signal) -> (Duration, Option<i32>) {
    let started = Instant::now();
    rustix::process::kill_process(Pid::from_child(child), signal).expect("a signal");
    let status = child.wait().expect("an end");
    (started.elapsed(), status.code())
}

/// A process that runs only the background workers. It is killed when this value is dropped.
pub struct WorkProcess {
    child: Child,
    log: Option<thread::JoinHandle<Vec<String>>>,
}

impl WorkProcess {
    /// Starts `myspares work` with additional settings and waits until its workers run.
    pub fn start(folder: &Path, vars: &[(&str, &str)]) -> Self {
        let mut command = command(folder);
        command.envs(vars.iter().copied()).arg("work").stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        lines.find(|line| line.contains("working in the background")).expect("it works");
        Self { child, log: Some(thread::spawn(move || lines.collect())) }
    }

    /// Sends a signal and waits for the end of the process. Returns how long that took and the exit code.
    pub fn end(&mut self, signal: Signal) -> (Duration, Option<i32>) {
        end(&mut self.child, signal)
    }

    /// Returns everything that the process logged. Call it once, after the end of the process.
    pub fn log(&mut self) -> String {
        self.log.take().expect("asked for once").join().expect("its output").join("\n")
    }
}

impl Drop for WorkProcess {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _reaped = self.child.wait();
        if thread::panicking() && self.log.is_some() {
            let _nobody_reads_it = io::stderr().write_all(self.log().as_bytes());
        }
    }
}

/// A serving process. It is killed when this value is dropped.
pub struct Server {
    child: Child,
    /// The base URL, without a final slash.
    pub url: String,
    /// The process id of its mongod.
    pub mongod: Pid,
    log: Option<thread::JoinHandle<Vec<String>>>,
}

impl Server {
    /// Starts `myspares` with a data folder and waits until it serves.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// Starts `myspares` with additional settings and waits until it serves.
    pub fn start_with(folder: &Path, vars: &[(&str, &str)]) -> Self {
        let mut command = command(folder);
        command.envs(vars.iter().copied());
        Self::spawn(command)
    }

    /// Starts `myspares serve` with a limit on its file descriptors and waits until it serves.
    pub fn start_with_files(folder: &Path, limit: u32) -> Self {
        let plain = command(folder);
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -n {limit} && exec \"$0\" serve")).arg(plain.get_program());
        let set = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(set).current_dir(folder);
        Self::spawn(command)
    }

    /// Starts `myspares` with some arguments and waits until it serves.
    pub fn start_as(folder: &Path, args: &[&str]) -> Self {
        let mut command = command(folder);
        command.args(args);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let serving =
            lines.find_map(|line| line.split_once("serving ").map(|(_, rest)| rest.to_owned())).expect("it serves");
        let url = serving.split("/ ").next().expect("a URL").to_owned();
        let log = thread::spawn(move || lines.collect());
        let mongod = only_child(&child);
        Self { child, url, mongod, log: Some(log) }
    }

    /// Returns the peak memory of the process so far, in MiB.
    ///
    /// This is `VmHWM` minus `RssFile` in `/proc/{pid}/status`. `RssFile` counts the pages of the program itself, which
    /// are three times as many in an unoptimised build.
    pub fn peak_mebibytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let kibibytes = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
        };
        (kibibytes("VmHWM") - kibibytes("RssFile")) / 1024
    }

    /// Sends a signal and waits for the end of the process. Returns how long that took and the exit code.
    pub fn end(&mut self, signal: Signal) -> (Duration, Option<i32>) {
        end(&mut self.child, signal)
    }

    /// Returns everything that the process logged after it began to serve. Call it once, after the end of the process.
    pub fn log(&mut self) -> String {
        self.log.take().expect("asked for once").join().expect("its output").join("\n")
    }

    /// Waits up to five seconds for the end of its mongod. Returns whether it has ended.
    pub fn mongod_is_gone(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if !is_running(self.mongod) {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn is_running(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

/// Returns the only child of a serving process, which is its mongod.
fn only_child(parent: &Child) -> Pid {
    let id = parent.id();
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).expect("threads").flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<i32> = children
        .flat_map(|ids| ids.split_whitespace().map(|id| id.parse().expect("an id")).collect::<Vec<i32>>())
        .collect();
    assert_eq!(children.len(), 1, "mongod and nothing else: {children:?}");
    Pid::from_raw(children[0]).expect("an id")
}
