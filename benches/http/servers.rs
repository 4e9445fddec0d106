//! The processes that are measured: the real server and the floors. Both use the same private mongod.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A serving process. It is killed when this value is dropped.
pub struct Served {
    child: Child,
    /// The base URL, without a final slash.
    pub url: String,
}

/// Returns the command `myspares` with the settings of a measurement.
///
/// These are the defaults, except that the rate limits are off, because they would refuse the load.
pub fn myspares(folder: &Path, mongo_uri: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myspares"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(folder).env("DATA_DIR", folder.join("data")).env("MONGO_URI", mongo_uri);
    command.env("RATE_LIMIT_SCALE", "0").env("BCRYPT_COST", "10");
    command
}

impl Served {
    /// Starts a process with a free port in `PORT` and waits until it answers. Its log goes to `/dev/null`.
    pub fn start(mut command: Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let child = command.env("PORT", port.to_string()).stdout(Stdio::null()).spawn().expect("the process starts");
        let served = Self { child, url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !answers(port) {
            assert!(Instant::now() < deadline, "it does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        served
    }

    /// Returns the CPU time of the process so far, added up over all cores.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = [11, 12].map(|at| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default());
        // Linux gives the times in hundredths of a second.
        Duration::from_millis(ticks.iter().sum::<u64>() * 10)
    }

    /// Returns the resident memory of the process in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// Returns the peak of the resident memory in bytes.
    pub fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, what: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 ")
}

impl Drop for Served {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Fills the database with sample data. Returns how long that took.
pub fn seed(folder: &Path, mongo_uri: &str, products: usize, users: usize) -> Duration {
    let started = Instant::now();
    let (brands, models, categories) = (10, 10, 10);
    let products = (products / (brands * models * categories)).max(1);
    let mut command = myspares(folder, mongo_uri);
    command.arg("seed");
    let counts =
        [("brands", brands), ("models", models), ("categories", categories), ("products", products), ("users", users)];
    for (name, count) in counts {
        command.arg(format!("--{name}")).arg(count.to_string());
    }
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("the seeding runs");
    assert!(status.success(), "the seeding failed");
    started.elapsed()
}
