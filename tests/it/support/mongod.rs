//! One private mongod for all tests of a run. Its data is in `/dev/shm`, which is memory, if this folder exists.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use myspares::embedded::PrivateMongod;

const PREFIX: &str = "myspares-tests-";

/// Returns the connection string of the shared mongod. The first call starts it, and it ends with this process.
pub fn shared_mongod_uri() -> &'static str {
    static URI: OnceLock<String> = OnceLock::new();
    URI.get_or_init(|| {
        sweep();
        let folder = base().join(format!("{PREFIX}{}", process::id()));
        let start = move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime for mongod");
            let mongod =
                runtime.block_on(PrivateMongod::start(&folder, named_mongod().as_deref())).expect("a private mongod");
            mongod.uri().to_owned()
        };
        std::thread::spawn(start).join().expect("mongod starts")
    })
}

/// Returns the name of a database that no other test uses.
pub fn fresh_database() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Removes the data folders of earlier runs. Their mongod ended with the run, but the folder stayed.
fn sweep() {
    for entry in fs::read_dir(base()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _another_run_may_be_faster = fs::remove_dir_all(entry.path());
        }
    }
}

/// Returns the path in `MONGOD_BIN` if the variable is set.
pub fn named_mongod() -> Option<PathBuf> {
    std::env::var_os("MONGOD_BIN").map(PathBuf::from)
}

/// Returns the mongod that `scripts/install-mongod` installed, if there is one.
pub fn installed_mongod() -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(".mongodb/bin/mongod")).filter(|own| own.exists())
}

/// Returns the data folder for the server of one test. It is inside the folder of the run.
pub fn data_folder(database: &str) -> PathBuf {
    base().join(format!("{PREFIX}{}", process::id())).join("data").join(database)
}
