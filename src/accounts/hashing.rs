//! bcrypt on low-priority threads of its own behind a bounded queue, so that a login storm can't starve reads.

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

/// Jobs that may wait, whatever they take.
const QUEUE: usize = 128;
/// Who would wait longer is refused: most callers would have given up before their turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The lowest priority: an idle machine still hashes at full speed.
const NICE: i32 = 19;
/// Salt and hash of no password anybody knows; an unknown account is compared with it and costs the same.
const NOBODY: &str = "abcdefghijklmnopqrstuuOeR0VYQ4vHPXPdX8eGz4XWZu9mYc1iS";

/// The hashing threads. They end when this is dropped.
pub struct Hasher {
    queue: SyncSender<Job>,
    cost: u32,
    counts: Counts,
    load: Arc<Load>,
}

/// What operators see of the threads.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Passwords hashed or compared.
    pub done: Counter,
    /// Jobs that would have had to wait too long.
    pub refused: Counter,
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

/// What a comparison of a password with a hash says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// It is the account's password.
    Same,
    /// It is, but the hash is of the form that was typed, before passwords were normalised: it is to be made anew.
    SameAsTyped,
    /// It is another one.
    Different,
}

type Job = Box<dyn FnOnce() + Send>;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The queue is full.
    #[error("too many sign-ins at the moment, try again soon")]
    Busy {
        /// Seconds after which there should be room.
        retry_after: u64,
    },
    /// The server is about to end.
    #[error("the server is stopping")]
    Stopping,
    /// The password would be found soon by somebody who tries what people choose.
    #[error(transparent)]
    Guessable(#[from] InvalidField),
    /// Nobody waits for the hash any more.
    #[error("the caller has left")]
    CallerLeft,
    /// bcrypt itself failed.
    #[error("hashing failed")]
    Failed,
}

impl Hasher {
    /// Starts one thread a core.
    pub fn start(cost: u32, counts: Counts) -> io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let threads = thread::available_parallelism()?.get();
        for n in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("hashing-{n}")).spawn(move || work(&jobs))?;
        }
        let load = Arc::new(Load::new(threads, cost));
        Ok(Self { queue, cost, counts, load })
    }

    /// Jobs that wait or run.
    pub fn jobs(&self) -> u32 {
        self.load.jobs()
    }

    /// Refuses whatever has not begun by then: it would be cut off when the process ends.
    pub fn stop(&self, at: Instant) {
        self.load.end(at);
    }

    /// Judges a password that keeps the rules by what is known of its owner, and hashes it.
    pub async fn hash(
        &self,
        password: NewPassword,
        owner: OwnerDetails,
        caller: &Caller,
    ) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        let job = move || {
            password.refuse_guessable(&owner)?;
            hash(&password.into_password(), cost)
        };
        self.run(caller, job).await?
    }

    /// Hashes a password that an account has already, whatever the rules were when it was set; in the form in which it was
    /// typed, where the normal one is too long.
    pub async fn rehash(&self, password: Password, caller: &Caller) -> Result<PasswordHash, HashError> {
        let cost = self.cost;
        let normal = password.normalised();
        let fitting = if normal.could_be_set() { normal } else { password };
        self.run(caller, move || hash(&fitting, cost)).await?
    }

    /// Compares a password with the hash of an account. Without an account, and with a password that none could have,
    /// the answer is no and takes as long.
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
        caller: &Caller,
    ) -> Result<Comparison, HashError> {
        let normal = password.normalised();
        let possible = hash.filter(|_| normal.could_be_set() || password.could_be_set());
        let is_known = possible.is_some();
        let hash = possible.unwrap_or_else(|| PasswordHash::new(format!("$2b${:02}${NOBODY}", self.cost)));
        let compared = self.run(caller, move || compare(&password, &normal, &hash)).await??;
        Ok(if is_known { compared } else { Comparison::Different })
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
        let wait = self.load.expected_wait();
        let busy = HashError::Busy { retry_after: wait.as_secs().max(1) };
        if wait > LONGEST_WAIT {
            self.counts.refused.inc();
            return Err(busy);
        }
        let (answer, answered) = oneshot::channel();
        let (waiting, counter, load) = (caller.clone(), self.counts.done.clone(), Arc::clone(&self.load));
        let job = move || {
            let outcome = match load.is_over() {
                true => Err(HashError::Stopping),
                // A caller who has left needs no hash, and others are waiting for theirs.
                false if waiting.has_left() => Err(HashError::CallerLeft),
                false => {
                    counter.inc();
                    let started = Instant::now();
                    let done = job();
                    load.took(started.elapsed());
                    Ok(done)
                }
            };
            load.left();
            drop(answer.send(outcome));
        };
        self.load.came();
        if self.queue.try_send(Box::new(job)).is_err() {
            self.load.left();
            self.counts.refused.inc();
            return Err(busy);
        }
        answered.await.map_err(|_| HashError::Failed)?
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

fn hash(password: &Password, cost: u32) -> Result<PasswordHash, HashError> {
    // bcrypt would take a longer one for its first 72 bytes.
    let whole = password.could_be_set().then(|| bcrypt::hash(password.expose(), cost));
    whole.and_then(Result::ok).map(PasswordHash::new).ok_or(HashError::Failed)
}

/// Compares in the form in which passwords are hashed, and then as it was typed: older hashes were made so.
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
    // The normal form of some letters is longer; where it doesn't fit into bcrypt, the old hash has to stay.
    Ok(if normal.could_be_set() { Comparison::SameAsTyped } else { Comparison::Same })
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
    use std::task::Poll;

    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn hash(hasher: &Hasher, text: &str) -> PasswordHash {
        let new = NewPassword::check("password", &password(text)).expect("a strong password");
        hasher.hash(new, OwnerDetails::default(), &Caller::default()).await.expect("a hash")
    }

    async fn verify(hasher: &Hasher, text: &str, hash: Option<PasswordHash>) -> Comparison {
        hasher.verify(password(text), hash, &Caller::default()).await.expect("compared")
    }

    #[tokio::test]
    async fn only_the_same_password_matches() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let hash = hash(&hasher, "Br4ke-pads!").await;
        assert_eq!(verify(&hasher, "Br4ke-pads!", Some(hash.clone())).await, Comparison::Same);
        assert_eq!(verify(&hasher, "br4ke-pads!", Some(hash)).await, Comparison::Different);
    }

    #[tokio::test]
    async fn nobody_has_no_password_and_a_longer_one_is_not_cut() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        assert_eq!(verify(&hasher, "anything", None).await, Comparison::Different);
        let longest = format!("Aa1!{}", "xK9#mQ2v".repeat(9)[..68].to_owned());
        let hash = hash(&hasher, &longest).await;
        assert_eq!(verify(&hasher, &longest, Some(hash.clone())).await, Comparison::Same);
        assert_eq!(verify(&hasher, &format!("{longest}b"), Some(hash)).await, Comparison::Different);
    }

    #[tokio::test]
    async fn a_password_matches_in_every_normal_form_and_a_hash_of_the_typed_one_is_told() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let (composed, decomposed) = ("Gr\u{fc}n-kr4ut-5uppe!", "Gru\u{308}n-kr4ut-5uppe!");
        let new = hash(&hasher, decomposed).await;
        for typed in [composed, decomposed] {
            assert_eq!(verify(&hasher, typed, Some(new.clone())).await, Comparison::Same);
        }
        let old = PasswordHash::new(bcrypt::hash(decomposed, 4).expect("a hash"));
        assert_eq!(verify(&hasher, decomposed, Some(old.clone())).await, Comparison::SameAsTyped);
        assert_eq!(verify(&hasher, composed, Some(old)).await, Comparison::Different);
    }

    /// U+0958 is six bytes in NFC instead of three.
    #[tokio::test]
    async fn a_password_whose_normal_form_does_not_fit_keeps_its_hash() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let typed = format!("Aa1!{}", "\u{958}".repeat(15));
        let old = PasswordHash::new(bcrypt::hash(&typed, 4).expect("a hash"));
        assert_eq!(verify(&hasher, &typed, Some(old)).await, Comparison::Same);
        let renewed = hasher.rehash(password(&typed), &Caller::default()).await.expect("a hash");
        assert_eq!(verify(&hasher, &typed, Some(renewed)).await, Comparison::Same);
    }

    #[tokio::test]
    async fn what_is_easy_to_guess_is_not_hashed() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        let new = NewPassword::check("new_password", &password("Password1!")).expect("the rules");
        let refused = hasher.hash(new, OwnerDetails::default(), &Caller::default()).await.expect_err("a refusal");
        assert_eq!(refused.to_string(), "invalid password: too easy to guess");
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_refused_and_told_for_how_long() {
        let hasher = Hasher::start(15, Counts::default()).expect("threads");
        let (caller, guard) = Caller::with_guard();
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
        assert!(waiting.len() < QUEUE / 2, "{} wait, each for two seconds", waiting.len());
    }

    #[tokio::test]
    async fn what_has_not_begun_at_the_end_is_refused_and_not_cut() {
        let hasher = Hasher::start(4, Counts::default()).expect("threads");
        hasher.stop(Instant::now());
        let refused = hasher.verify(password("anything"), None, &Caller::default()).await;
        assert!(matches!(refused, Err(HashError::Stopping)));
    }

    #[tokio::test]
    async fn who_has_left_costs_no_hash() {
        let hasher = Hasher::start(14, Counts::default()).expect("threads");
        let (caller, guard) = Caller::with_guard();
        drop(guard);
        let started = std::time::Instant::now();
        let jobs = (0..20).map(|_| hasher.verify(password("anything"), None, &caller));
        let outcomes = futures_util::future::join_all(jobs).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(HashError::CallerLeft))));
        assert!(started.elapsed() < std::time::Duration::from_secs(1));
    }
}
