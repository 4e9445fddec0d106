//! bcrypt on low-priority threads of its own behind a bounded queue, so that a login storm can't starve reads.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::password::{NewPassword, Password, PasswordHash};

/// Jobs that may wait; more are refused, since their callers would have given up before their turn.
const QUEUE: usize = 128;
/// The lowest priority: an idle machine still hashes at full speed.
const NICE: i32 = 19;
/// Salt and hash of no password anybody knows; an unknown account is compared with it and costs the same.
const NOBODY: &str = "abcdefghijklmnopqrstuuOeR0VYQ4vHPXPdX8eGz4XWZu9mYc1iS";

/// The hashing threads. They end when this is dropped.
pub struct Hasher {
    queue: SyncSender<Job>,
    cost: u32,
    jobs: Counter,
}

/// Whether somebody still waits for an answer. Flows go on to their end when their caller hangs up, but a hash that
/// still stands in the queue then is not worth its time.
#[derive(Debug, Clone, Default)]
pub struct Caller(CancellationToken);

impl Caller {
    /// Somebody who hangs up when the guard goes.
    pub fn with_guard() -> (Self, DropGuard) {
        let token = CancellationToken::new();
        (Self(token.clone()), token.drop_guard())
    }

    fn has_left(&self) -> bool {
        self.0.is_cancelled()
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is full.
    #[error("too many sign-ins at the moment, try again soon")]
    Busy,
    /// Nobody waits for the hash any more.
    #[error("the caller has left")]
    CallerLeft,
    /// bcrypt itself failed.
    #[error("hashing failed")]
    Failed,
}

impl Hasher {
    /// Starts one thread a core; `counter` counts their jobs.
    pub fn start(cost: u32, counter: Counter) -> io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for n in 0..thread::available_parallelism()?.get() {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("hashing-{n}")).spawn(move || work(&jobs))?;
        }
        Ok(Self { queue, cost, jobs: counter })
    }

    /// Hashes a password that keeps the rules.
    pub async fn hash(&self, password: NewPassword, caller: &Caller) -> Result<PasswordHash, HashError> {
        self.rehash(password.into_password(), caller).await
    }

    /// Hashes a password that an account has already, whatever the rules were when it was set.
    pub async fn rehash(&self, password: Password, caller: &Caller) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        let hashed = self.run(caller, move || bcrypt::hash(password.expose(), cost)).await?;
        hashed.map(PasswordHash::new).map_err(|_| HashError::Failed)
    }

    /// Compares a password with the hash of an account. Without an account, and with a password that none could have,
    /// the answer is no and takes as long.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
        caller: &Caller,
    ) -> Result<bool, HashError> {
        let possible = hash.filter(|_| password.could_be_set());
        let known = possible.is_some();
        let hash = possible.unwrap_or_else(|| PasswordHash::new(format!("$2b${:02}${NOBODY}", self.cost)));
        let same = self.run(caller, move || bcrypt::verify(password.expose(), hash.expose())).await?;
        Ok(same.map_err(|_| HashError::Failed)? && known)
    }

    /// Whether a hash was made at another cost than the one that is set now.
    pub fn is_outdated(&self, hash: &PasswordHash) -> bool {
        hash.expose().parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() != self.cost)
    }

    async fn run<T: Send + 'static>(
        &self,
        caller: &Caller,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let (answer, answered) = oneshot::channel();
        let (waiting, counter) = (caller.clone(), self.jobs.clone());
        let job = move || {
            // A caller who has left needs no hash, and others are waiting for theirs.
            if !waiting.has_left() {
                counter.inc();
                drop(answer.send(job()));
            }
        };
        self.queue.try_send(Box::new(job)).map_err(|_| HashError::Busy)?;
        answered.await.map_err(|_| HashError::CallerLeft)
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    lower_priority();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}

/// On Linux a thread has a priority of its own; a system that refuses merely hashes at normal priority.
#[cfg(target_os = "linux")]
fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "hashing at normal priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn hash(hasher: &Hasher, text: &str) -> PasswordHash {
        let new = NewPassword::check(password(text)).expect("a strong password");
        hasher.hash(new, &Caller::default()).await.expect("a hash")
    }

    #[tokio::test]
    async fn only_the_same_password_matches() {
        let hasher = Hasher::start(4, Counter::default()).expect("threads");
        let hash = hash(&hasher, "Str0ng!pass").await;
        assert!(
            hasher.verify(password("Str0ng!pass"), Some(hash.clone()), &Caller::default()).await.expect("compared")
        );
        assert!(!hasher.verify(password("str0ng!pass"), Some(hash), &Caller::default()).await.expect("compared"));
    }

    #[tokio::test]
    async fn nobody_has_no_password_and_a_longer_one_is_not_cut() {
        let hasher = Hasher::start(4, Counter::default()).expect("threads");
        assert!(!hasher.verify(password("anything"), None, &Caller::default()).await.expect("compared"));
        let longest = format!("Aa1!{}", "a".repeat(68));
        let hash = hash(&hasher, &longest).await;
        assert!(
            !hasher.verify(password(&format!("{longest}b")), Some(hash), &Caller::default()).await.expect("compared")
        );
    }

    #[tokio::test]
    async fn who_has_left_costs_no_hash() {
        let hasher = Hasher::start(14, Counter::default()).expect("threads");
        let (caller, guard) = Caller::with_guard();
        drop(guard);
        let started = std::time::Instant::now();
        let jobs = (0..20).map(|_| hasher.verify(password("anything"), None, &caller));
        let outcomes = futures_util::future::join_all(jobs).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(HashError::CallerLeft))));
        assert!(started.elapsed() < std::time::Duration::from_secs(1));
    }
}
