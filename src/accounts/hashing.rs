//! bcrypt runs on its own threads with low priority and a bounded queue, so that many sign-ins at once can't slow down
//! other requests.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    hashing_load::Load,
    rules::password::{NewPassword, OwnerDetails, Password, PasswordHash},
};
use crate::values::invalid::InvalidField;

/// The maximum number of waiting jobs, however short they are.
const MAX_WAITING: usize = 128;
/// The longest expected wait. A job that would wait longer is refused, because most callers would give up before its
/// turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The niceness of the threads, which gives them the lowest priority. An idle machine still hashes at full speed.
const LOWEST_PRIORITY: i32 = 19;
/// A bcrypt salt and hash of a password that nobody knows. Sign-ins to unknown accounts are compared with it, so that
/// they take as long as sign-ins to known ones.
const UNKNOWN_PASSWORD_HASH: &str = "abcdefghijklmnopqrstuuOeR0VYQ4vHPXPdX8eGz4XWZu9mYc1iS";

/// The hashing threads. They end when this is dropped.
pub struct Hasher {
    queue: SyncSender<Job>,
    cost: u32,
    counts: Counts,
    load: Arc<Load>,
}

/// Counters for the metrics.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// The number of passwords that were hashed or compared.
    pub done: Counter,
    /// The number of jobs that were refused because the queue was full or the wait would have been too long.
    pub refused: Counter,
}

/// A handle that tells whether the caller still waits for an answer. A request runs to its end even if the caller hangs
/// up. But a hash that is still in the queue at that moment is skipped, because it takes a lot of time.
#[derive(Debug, Clone, Default)]
pub struct CallerPresence(CancellationToken);

impl CallerPresence {
    /// Returns a caller and its guard. The caller counts as gone when the guard is dropped.
    pub fn with_guard() -> (Self, DropGuard) {
        let token = CancellationToken::new();
        (Self(token.clone()), token.drop_guard())
    }

    fn has_left(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// The result of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The password is right.
    Same,
    /// The password is right, but the hash was made from the text as it was typed, by a version that did not normalise
    /// passwords. The hash should be renewed.
    SameAsTyped,
    /// The password is wrong.
    Different,
}

type Job = Box<dyn FnOnce() + Send>;

/// The reason why a password was not hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is full, or the expected wait is longer than 10 seconds.
    #[error("too many sign-ins at the moment, try again soon")]
    Busy {
        /// The number of seconds after which a retry should succeed.
        retry_after: u64,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The new password is easy to guess.
    #[error(transparent)]
    Guessable(#[from] InvalidField),
    /// The caller hung up before the job began.
    #[error("the caller has left")]
    CallerLeft,
    /// bcrypt failed, or the password is too long for it.
    #[error("hashing failed")]
    Failed,
}

impl Hasher {
    /// Starts one thread for each core. `cost` is the bcrypt cost of new hashes: each step doubles the time of a hash.
    pub fn start(cost: u32, counts: Counts) -> io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(MAX_WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        let threads = thread::available_parallelism()?.get();
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("hashing-{number}")).spawn(move || run_jobs(&jobs))?;
        }
        let load = Arc::new(Load::new(threads, cost));
        Ok(Self { queue, cost, counts, load })
    }

    /// Returns the number of jobs that wait or run.
    pub fn jobs(&self) -> u32 {
        self.load.jobs()
    }

    /// Refuses every job that has not begun by `at`, because the process may end before it is done. Only the first call
    /// has an effect.
    pub fn stop(&self, at: Instant) {
        self.load.stop_at(at);
    }

    /// Hashes a new password. Fails with [`HashError::Guessable`] when somebody who knows the `owner` could guess it
    /// soon.
    pub async fn hash(
        &self,
        password: NewPassword,
        owner: OwnerDetails,
        caller: &CallerPresence,
    ) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        let check_and_hash = move || {
            password.refuse_guessable(&owner)?;
            make_hash(&password.into_password(), cost)
        };
        self.run(caller, check_and_hash).await?
    }

    /// Hashes the current password of an account again. The rules for new passwords don't apply, because they may have
    /// been different when it was set. It is normalised unless its normal form is too long for bcrypt.
    pub async fn rehash(&self, password: Password, caller: &CallerPresence) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        let normal = password.normalised();
        let fitting = if normal.could_be_set() { normal } else { password };
        self.run(caller, move || make_hash(&fitting, cost)).await?
    }

    /// Compares a password with the hash of an account; `hash` is `None` when there is no such account. Then, and for a
    /// password that no account can have, the result is [`Comparison::Different`] and takes as long as any other.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
        caller: &CallerPresence,
    ) -> Result<Comparison, HashError> {
        let normal = password.normalised();
        let could_match = normal.could_be_set() || password.could_be_set();
        let Some(hash) = hash.filter(|_| could_match) else {
            let unknown = PasswordHash::new(format!("$2b${:02}${UNKNOWN_PASSWORD_HASH}", self.cost));
            self.run(caller, move || compare(&password, &normal, &unknown)).await??;
            return Ok(Comparison::Different);
        };
        self.run(caller, move || compare(&password, &normal, &hash)).await?
    }

    /// Returns whether a hash was made at another cost than the one that is set now.
    pub fn is_outdated(&self, hash: &PasswordHash) -> bool {
        hash.expose().parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() != self.cost)
    }

    /// Runs `work` on one of the threads. Fails at once when the queue is full or the expected wait is too long.
    async fn run<T: Send + 'static>(
        &self,
        caller: &CallerPresence,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let wait = self.load.expected_wait();
        let busy = HashError::Busy { retry_after: wait.as_secs().max(1) };
        if wait > LONGEST_WAIT {
            self.counts.refused.inc();
            return Err(busy);
        }
        let (sender, answer) = oneshot::channel();
        let (caller, done, load) = (caller.clone(), self.counts.done.clone(), Arc::clone(&self.load));
        let job = move || {
            let outcome = run_if_needed(work, &caller, &done, &load);
            load.job_removed();
            drop(sender.send(outcome));
        };
        self.load.job_added();
        if self.queue.try_send(Box::new(job)).is_err() {
            self.load.job_removed();
            self.counts.refused.inc();
            return Err(busy);
        }
        answer.await.map_err(|_| HashError::Failed)?
    }
}

/// Runs `work` unless the server is stopping or the caller has left. A caller who has left does not need the hash any
/// more, and other callers are waiting.
fn run_if_needed<T>(
    work: impl FnOnce() -> T,
    caller: &CallerPresence,
    done: &Counter,
    load: &Load,
) -> Result<T, HashError> {
    if load.has_stopped() {
        return Err(HashError::Stopping);
    }
    if caller.has_left() {
        return Err(HashError::CallerLeft);
    }
    done.inc();
    let started = Instant::now();
    let result = work();
    load.job_took(started.elapsed());
    Ok(result)
}

/// Runs the jobs of the queue, one after the other, until the [`Hasher`] is dropped.
fn run_jobs(jobs: &Mutex<Receiver<Job>>) {
    lower_priority();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}

fn make_hash(password: &Password, cost: u32) -> Result<PasswordHash, HashError> {
    // bcrypt ignores everything after the first 72 bytes of a longer password.
    if !password.could_be_set() {
        return Err(HashError::Failed);
    }
    bcrypt::hash(password.expose(), cost).map(PasswordHash::new).map_err(|_| HashError::Failed)
}

/// Compares the normal form of a password with a hash, and then the text as it was typed, because older versions hashed
/// that text.
fn compare(typed: &Password, normal: &Password, hash: &PasswordHash) -> Result<Comparison, HashError> {
    let is_same = |password: &Password| {
        let verified = bcrypt::verify(password.expose(), hash.expose()).map_err(|_| HashError::Failed)?;
        Ok::<bool, HashError>(verified && password.could_be_set())
    };
    if is_same(normal)? {
        return Ok(Comparison::Same);
    }
    if typed.is_normal() || !is_same(typed)? {
        return Ok(Comparison::Different);
    }
    // The normal form of some letters is longer than what was typed. If it is too long for bcrypt, the old hash stays.
    Ok(if normal.could_be_set() { Comparison::SameAsTyped } else { Comparison::Same })
}

/// Lowers the priority of the current thread. On Linux each thread has its own priority. If the system refuses, the
/// thread hashes at normal priority.
#[cfg(target_os = "linux")]
fn lower_priority() {
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST_PRIORITY) {
        tracing::debug!(%error, "hashing at normal priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn hash_of(hasher: &Hasher, text: &str) -> PasswordHash {
        let new = NewPassword::check("password", &password(text)).expect("a strong password");
        hasher.hash(new, OwnerDetails::default(), &CallerPresence::default()).await.expect("a hash")
    }

    async fn compare_with(hasher: &Hasher, text: &str, hash: Option<PasswordHash>) -> Comparison {
        hasher.verify(password(text), hash, &CallerPresence::default()).await.expect("compared")
    }

    #[tokio::test]
    async fn only_the_same_password_matches() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let hash = hash_of(&hasher, "Br4ke-pads!").await;
        assert_eq!(compare_with(&hasher, "Br4ke-pads!", Some(hash.clone())).await, Comparison::Same);
        assert_eq!(compare_with(&hasher, "br4ke-pads!", Some(hash)).await, Comparison::Different);
    }

    #[tokio::test]
    async fn nobody_has_no_password_and_a_longer_one_is_not_cut() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        assert_eq!(compare_with(&hasher, "anything", None).await, Comparison::Different);
        let longest = format!("Aa1!{}", "xK9#mQ2v".repeat(9)[..68].to_owned());
        let hash = hash_of(&hasher, &longest).await;
        assert_eq!(compare_with(&hasher, &longest, Some(hash.clone())).await, Comparison::Same);
        assert_eq!(compare_with(&hasher, &format!("{longest}b"), Some(hash)).await, Comparison::Different);
    }

    #[tokio::test]
    async fn a_password_matches_in_every_normal_form_and_a_hash_of_the_typed_one_is_told() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let (composed, decomposed) = ("Gr\u{fc}n-kr4ut-5uppe!", "Gru\u{308}n-kr4ut-5uppe!");
        let new = hash_of(&hasher, decomposed).await;
        for typed in [composed, decomposed] {
            assert_eq!(compare_with(&hasher, typed, Some(new.clone())).await, Comparison::Same);
        }
        let old = PasswordHash::new(bcrypt::hash(decomposed, 4).expect("a hash"));
        assert_eq!(compare_with(&hasher, decomposed, Some(old.clone())).await, Comparison::SameAsTyped);
        assert_eq!(compare_with(&hasher, composed, Some(old)).await, Comparison::Different);
    }

    /// The letter U+0958 has three bytes, and its NFC form has six.
    #[tokio::test]
    async fn a_password_whose_normal_form_does_not_fit_keeps_its_hash() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let typed = format!("Aa1!{}", "\u{958}".repeat(15));
        let old = PasswordHash::new(bcrypt::hash(&typed, 4).expect("a hash"));
        assert_eq!(compare_with(&hasher, &typed, Some(old)).await, Comparison::Same);
        let renewed = hasher.rehash(password(&typed), &CallerPresence::default()).await.expect("a hash");
        assert_eq!(compare_with(&hasher, &typed, Some(renewed)).await, Comparison::Same);
    }

    #[tokio::test]
    async fn what_is_easy_to_guess_is_not_hashed() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let new = NewPassword::check("new_password", &password("Password1!")).expect("the rules");
        let refused =
            hasher.hash(new, OwnerDetails::default(), &CallerPresence::default()).await.expect_err("a refusal");
        assert_eq!(refused.to_string(), "invalid password: too easy to guess");
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_refused_and_told_for_how_long() {
        let hasher = Hasher::start(15, Counts::default()).expect("threads");
        let (caller, guard) = CallerPresence::with_guard();
        let mut waiting = Vec::new();
        let refused = loop {
            let mut next = Box::pin(hasher.verify(password("anything"), None, &caller));
            match futures_util::poll!(&mut next) {
                Poll::Pending => waiting.push(next),
                Poll::Ready(outcome) => break outcome.expect_err("a refusal"),
            }
        };
        drop(guard);
        assert!(matches!(refused, HashError::Busy { retry_after: 10.. }), "{refused:?}");
        assert!(waiting.len() < MAX_WAITING / 2, "{} wait, each for two seconds", waiting.len());
    }

    #[tokio::test]
    async fn what_has_not_begun_at_the_end_is_refused_and_not_cut() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        hasher.stop(Instant::now());
        let refused = hasher.verify(password("anything"), None, &CallerPresence::default()).await;
        assert!(matches!(refused, Err(HashError::Stopping)));
    }

    #[tokio::test]
    async fn who_has_left_costs_no_hash() {
        let hasher = Hasher::start(14, Counts::default()).expect("threads");
        let (caller, guard) = CallerPresence::with_guard();
        drop(guard);
        let started = std::time::Instant::now();
        let jobs = (0..20).map(|_| hasher.verify(password("anything"), None, &caller));
        let outcomes = futures_util::future::join_all(jobs).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(HashError::CallerLeft))));
        assert!(started.elapsed() < std::time::Duration::from_secs(1));
    }
}
