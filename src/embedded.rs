//! The private mongod: a child process for development and tests. It listens only on a unix socket. On Linux, it always
//! ends with its server.

use std::{
    env, fs, io,
    io::{BufRead, BufReader},
    os::unix::{
        ffi::OsStrExt,
        fs::DirBuilderExt,
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use bson::{Document, doc};
use mongodb::{
    Client, Database,
    error::ErrorKind,
    options::{ClientOptions, ServerAddress},
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::{
    net::UnixStream,
    sync::{oneshot, watch},
};

use crate::private_files;

/// The maximum time for a start. The first start on a slow disk takes longest.
const START_LIMIT: Duration = Duration::from_secs(30);
/// The pause between two checks of a mongod that is starting.
const POLL: Duration = Duration::from_millis(5);
/// The maximum time for the mongod of a killed server to end.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(3);
/// The maximum time for a clean stop. After that, mongod is killed; its journal keeps all acknowledged writes.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Paths with this many bytes or more are refused. On Linux, the path of a unix socket has at most 107 bytes and a
/// final NUL (unix(7)).
const SOCKET_PATH_LIMIT: usize = 107;
/// The file whose lock shows that a server uses the folder.
const LOCK_FILE: &str = "server.lock";
/// The number of files that mongod may keep open at least, if the system allows it.
const MONGOD_FILES: u64 = 1_024;
/// The log of mongod.
const LOG_FILE: &str = "mongod.log";
/// The unix socket of mongod.
const SOCKET_FILE: &str = "m.sock";
/// MongoDB's error code for a node that already has a configuration (`AlreadyInitialized`).
const ALREADY_INITIALIZED: i32 = 23;

/// A running private mongod.
///
/// If it is dropped without [`PrivateMongod::stop`], mongod runs on. On Linux, it is killed when this process ends. On
/// other systems, it must then be stopped by hand.
pub struct PrivateMongod {
    uri: String,
    folder: PathBuf,
    pid: Pid,
    ended: watch::Receiver<Option<ExitStatus>>,
}

/// The reason why the private mongod can't be started.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The named file is not there, or no mongod is in any of the usual places.
    #[error("no mongod found: run scripts/install-mongod, or set MONGOD_BIN or MONGO_URI")]
    NoMongod,
    /// Another server uses the folder.
    #[error("{} is in use by another myspares; stop it, or set DATA_DIR or MONGO_URI", .0.display())]
    InUse(PathBuf),
    /// The path of the socket is too long for the system.
    #[error("the path {} is too long for a unix socket; set DATA_DIR to a shorter one", .0.display())]
    PathTooLong(PathBuf),
    /// mongod ended at once or didn't become usable in time.
    #[error("mongod didn't start ({reason}); its log is {}", .log.display())]
    NotStarted {
        /// A short description of the failure.
        reason: String,
        /// The path of mongod's log.
        log: PathBuf,
    },
    /// A file, a folder or the process can't be created or used.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The path that the failed operation used.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl PrivateMongod {
    /// Starts mongod with its data in `folder` and waits until it accepts writes, for 30 seconds at most. It runs as a
    /// replica set with one member, so that transactions and change streams work.
    ///
    /// `binary` is the mongod to run. Without it, `PATH` is searched and then `.mongodb/bin/mongod`. If another process
    /// uses the folder, this waits for up to 3 seconds, because the mongod of a killed server needs a moment to end.
    pub async fn start(folder: &Path, binary: Option<&Path>) -> Result<Self, EmbeddedError> {
        let mongod_path = find_mongod(binary).ok_or(EmbeddedError::NoMongod)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io_error(folder))?;
        let full_path = folder.canonicalize().map_err(io_error(folder))?;
        let socket = full_path.join(SOCKET_FILE);
        if socket.as_os_str().len() >= SOCKET_PATH_LIMIT {
            return Err(EmbeddedError::PathTooLong(full_path));
        }
        let lock_file = lock_folder(&full_path).await?;
        let (pid, ended) = spawn_mongod(&mongod_path, &full_path, lock_file)?
            .await
            .map_err(|_| not_started(&full_path, "no thread"))?
            .map_err(io_error(&mongod_path))?;
        let mongod = Self { uri: connection_string(&socket), folder: full_path, pid, ended };
        mongod.wait_until_writable(&socket).await?;
        Ok(mongod)
    }

    /// Returns the connection string for the driver.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the connection string of the mongod that another process of this user runs in `folder`, or `None` if
    /// there is none. That mongod may still be starting.
    pub fn running_on(folder: &Path) -> Option<String> {
        let full_path = folder.canonicalize().ok()?;
        let lock_file = fs::File::open(full_path.join(LOCK_FILE)).ok()?;
        let is_locked = matches!(lock_file.try_lock(), Err(fs::TryLockError::WouldBlock));
        is_locked.then(|| connection_string(&full_path.join(SOCKET_FILE)))
    }

    /// Returns the process id of mongod.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Returns whether mongod's log says that the disk is full.
    pub fn is_disk_full(&self) -> bool {
        is_disk_full(&self.folder)
    }

    /// Waits until mongod has ended, for whatever reason. Returns its exit status, or status 0 if that is unknown.
    pub async fn ended(&self) -> ExitStatus {
        let mut receiver = self.ended.clone();
        let status = receiver.wait_for(Option::is_some).await.map(|status| *status);
        status.ok().flatten().unwrap_or_else(|| ExitStatus::from_raw(0))
    }

    /// Stops mongod cleanly and waits until it has ended. Kills it if that takes longer than 10 seconds.
    pub async fn stop(self) {
        self.signal(Signal::TERM);
        if tokio::time::timeout(STOP_LIMIT, self.ended()).await.is_err() {
            self.signal(Signal::KILL);
            self.ended().await;
        }
    }

    /// Sends a signal to mongod. Does nothing if mongod has already ended.
    fn signal(&self, signal: Signal) {
        if self.ended.borrow().is_none() {
            let _already_gone = rustix::process::kill_process(self.pid, signal);
        }
    }

    /// Waits until mongod accepts writes. Fails if it ends before that or takes longer than [`START_LIMIT`].
    async fn wait_until_writable(&self, socket: &Path) -> Result<(), EmbeddedError> {
        let (started, folder) = (Instant::now(), &*self.folder);
        // mongod creates the socket a moment before it listens. The driver would wait half a second between attempts.
        let wait_for_socket = async {
            while UnixStream::connect(socket).await.is_err() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            status = self.ended() => return Err(not_started(folder, &failure_text(folder, status))),
            result = tokio::time::timeout(START_LIMIT, wait_for_socket) => {
                result.map_err(|_| not_started(folder, "no socket"))?;
            }
        }
        tokio::select! {
            status = self.ended() => Err(not_started(folder, &failure_text(folder, status))),
            result = become_primary(socket, started) => {
                result.map_err(|error| not_started(folder, &crate::db::brief(&error)))
            }
        }
    }
}

/// Returns a function that adds the path to an error of the system.
fn io_error(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Io { path, source }
}

fn not_started(folder: &Path, reason: &str) -> EmbeddedError {
    EmbeddedError::NotStarted { reason: reason.to_owned(), log: folder.join(LOG_FILE) }
}

/// Returns the connection string for a socket. All bytes of the path that have a meaning in a connection string are
/// escaped.
fn connection_string(socket: &Path) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let escape = |byte: &u8| if is_plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    let escaped: String = socket.as_os_str().as_bytes().iter().map(escape).collect();
    format!("mongodb://{escaped}/?directConnection=true")
}

#[allow(clippy::disallowed_methods, reason = "PATH is no setting of the shop")]
fn find_mongod(named: Option<&Path>) -> Option<PathBuf> {
    let in_path = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let places = in_path.map(|dir| dir.join("mongod")).chain([PathBuf::from(".mongodb/bin/mongod")]);
    let binary = match named {
        Some(named) => named.is_file().then(|| named.to_owned()),
        None => places.into_iter().find(|place| place.is_file()),
    };
    binary.and_then(|binary| binary.canonicalize().ok())
}

/// Locks the folder for this server and its mongod. The mongod of a killed server holds the lock until it has ended, so
/// waiting for the lock also waits for the end of that mongod.
async fn lock_folder(folder: &Path) -> Result<fs::File, EmbeddedError> {
    let path = folder.join(LOCK_FILE);
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io_error(&path))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if started.elapsed() < TAKE_OVER_LIMIT => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(fs::TryLockError::WouldBlock) => return Err(EmbeddedError::InUse(folder.to_owned())),
            Err(fs::TryLockError::Error(source)) => return Err(EmbeddedError::Io { path, source }),
        }
    }
}

/// The process id of mongod, and the exit status as soon as mongod has ended.
type RunningProcess = (Pid, watch::Receiver<Option<ExitStatus>>);

/// Starts mongod from a thread that lives as long as mongod. Linux sends the death signal when the *thread* that forked
/// ends, and not when its process ends (prctl(2), PR_SET_PDEATHSIG).
fn spawn_mongod(
    binary: &Path,
    folder: &Path,
    lock_file: fs::File,
) -> Result<oneshot::Receiver<io::Result<RunningProcess>>, EmbeddedError> {
    let mut command = mongod_command(binary, folder, lock_file)?;
    let (started, starting) = oneshot::channel();
    let keep_child = move || match command.spawn() {
        Err(error) => drop(started.send(Err(error))),
        Ok(mut child) => {
            // This closes the parent's copy of the lock. The child's copy stays open as its standard input.
            drop(command);
            let (end_sender, ended) = watch::channel(None);
            drop(started.send(Ok((Pid::from_child(&child), ended))));
            end_sender.send_replace(Some(child.wait().unwrap_or_else(|_| ExitStatus::from_raw(0))));
        }
    };
    thread::Builder::new().name("mongod-keeper".to_owned()).spawn(keep_child).map_err(io_error(folder))?;
    Ok(starting)
}

/// Raises the number of files that this process, and with it mongod, may keep open, as far as the system allows. macOS
/// allows 256 unless asked, and mongod needs about as many: one for each collection and index.
fn allow_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let target = MONGOD_FILES.min(maximum.unwrap_or(u64::MAX));
    if current.is_some_and(|current| current < target)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum })
    {
        tracing::debug!(%error, "the limit of file descriptors can't be raised");
    }
}

fn mongod_command(binary: &Path, folder: &Path, lock_file: fs::File) -> Result<Command, EmbeddedError> {
    let log_path = folder.join(LOG_FILE);
    let log_file = private_files::create(&log_path).map_err(io_error(&log_path))?;
    let stale_socket = folder.join(SOCKET_FILE);
    if stale_socket.exists() {
        fs::remove_file(&stale_socket).map_err(io_error(&stale_socket))?;
    }
    allow_files();
    let mut command = Command::new(binary);
    // The paths here and the host in the configuration of the replica set are relative, so the folder can be moved.
    command
        .current_dir(folder)
        .args(["--dbpath", ".", "--replSet", "myspares"])
        .args(["--bind_ip", "./m.sock", "--nounixsocket", "--port", "27017"])
        .args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256"])
        .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
        // Each test has its own database. The files of hundreds of databases are more than a process may keep open.
        .args(["--setParameter", "wiredTigerFileHandleCloseIdleTime=4"])
        .args(["--setParameter", "wiredTigerFileHandleCloseScanInterval=2"])
        // mongod logs slow commands completely, and some commands contain password hashes.
        .args(["--slowms", "2147483647"])
        .args(["--wiredTigerEngineConfigString", "log=(file_max=8MB,prealloc=false),session_max=400"])
        .stdin(Stdio::from(lock_file))
        .stdout(Stdio::from(log_file))
        .stderr(Stdio::null())
        // Ctrl-C in the terminal must reach only the server, because mongod must run until the last request has ended.
        .process_group(0);
    die_with_parent(&mut command);
    Ok(command)
}

/// Makes the kernel kill mongod when this process ends, even if the process is killed. SIGKILL loses no data, because
/// writes are acknowledged only after they are in the journal.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "pre_exec is unsafe; the closure makes two system calls and allocates nothing")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let hook = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the signal was set.
        if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; prctl and getppid are plain system calls.
    unsafe { command.pre_exec(hook) };
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}

/// Makes the node a replica set with one member, if it isn't one yet, and waits until it accepts writes.
async fn become_primary(socket: &Path, started: Instant) -> mongodb::error::Result<()> {
    let address = ServerAddress::Unix { path: socket.to_owned() };
    let options = ClientOptions::builder().hosts(vec![address]).direct_connection(true).build();
    let admin = Client::with_options(options)?.database("admin");
    let replica_set = doc! { "_id": "myspares", "members": [{ "_id": 0, "host": "./m.sock" }] };
    loop {
        let hello = admin.run_command(doc! { "hello": 1 }).await?;
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            return Ok(());
        }
        if !hello.contains_key("setName") && hello.get_bool("isreplicaset").unwrap_or(false) {
            initiate(&admin, &replica_set).await?;
        }
        if started.elapsed() > START_LIMIT {
            return Err(mongodb::error::Error::custom("it didn't become primary"));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Gives the node its configuration. The error that it already has one is ignored: a node that is still reading its
/// configuration looks like a node without one.
async fn initiate(admin: &Database, replica_set: &Document) -> mongodb::error::Result<()> {
    match admin.run_command(doc! { "replSetInitiate": replica_set.clone() }).await {
        Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(command) if command.code == ALREADY_INITIALIZED) => {
            Ok(())
        }
        initiated => initiated.map(drop),
    }
}

/// Returns whether mongod's log says that the disk is full (ENOSPC in errno(3)).
fn is_disk_full(folder: &Path) -> bool {
    log_lines(folder).any(|line| line.contains("No space left on device"))
}

/// Returns the lines of mongod's log, as far as they can be read.
fn log_lines(folder: &Path) -> impl Iterator<Item = String> {
    let log = fs::File::open(folder.join(LOG_FILE));
    log.into_iter().flat_map(|file| BufReader::new(file).lines().map_while(Result::ok))
}

/// Returns the exit status of mongod and the first error in its log.
fn failure_text(folder: &Path, status: ExitStatus) -> String {
    if is_disk_full(folder) {
        return format!("{status}: the disk is full");
    }
    let is_error =
        |line: &String| line.contains("\"s\":\"E\"") || line.contains("\"s\":\"F\"") || !line.starts_with('{');
    let first_error = log_lines(folder).find(is_error);
    format!("{status}{}", first_error.map(|line| format!(": {line}")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("mongod.log");
        let failed = "{\"s\":\"E\", \"msg\":\"WiredTiger error\",\"attr\":{\"error\":28,\"message\":\"No space left on device\"}}\n";
        fs::write(&log, format!("{{\"s\":\"I\"}}\n{failed}")).expect("a log");
        let status = ExitStatus::from_raw(14 << 8);
        assert_eq!(failure_text(folder.path(), status), "exit status: 14: the disk is full");
        fs::write(&log, "{\"s\":\"I\"}\n{\"s\":\"E\",\"msg\":\"address in use\"}\n").expect("a log");
        assert!(failure_text(folder.path(), status).ends_with("address in use\"}"));
    }
}
