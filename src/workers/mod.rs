//! The background work, with one file for each worker.
//!
//! Any number of instances may run the workers. A lease lets one instance at a time do the work of a worker (U8 in
//! `docs/architecture.md`). A lease can expire while the process of its holder is paused, and then two instances may
//! work at the same time. So all work gives the same result when it is done twice.

mod images;
mod mail;
mod purge;
mod stock;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    carts::stock_watch::StockWatch,
    db::{StoreError, leases::Lease},
    values::{backoff::Backoff, ids::HolderId},
};

/// The duration of a lease. If its holder dies, another instance takes over after at most this time and
/// [`STANDBY_PAUSE`].
const LEASE_TIME: Duration = Duration::from_secs(10);
/// The time between two renewals of a lease.
const RENEWAL: Duration = Duration::from_secs(3);
/// The pause after which an instance without the lease asks for it again.
const STANDBY_PAUSE: Duration = Duration::from_secs(4);
/// The pause of a worker that has nothing to do.
const IDLE_PAUSE: Duration = Duration::from_millis(500);
/// The pauses after errors in a row.
const ERROR_PAUSES: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(30) };
/// The maximum time for work to finish after it is told to stop. Work that is cut off is done again later.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// Declares the workers: for each its variant, the name of its lease and of its metric, and the function of a round.
macro_rules! workers {
    ($($(#[$doc:meta])* $worker:ident = $name:literal => $round:path,)+) => {
        /// The kinds of background work.
        #[derive(Debug, Clone, Copy)]
        enum Worker { $($(#[$doc])* $worker,)+ }

        impl Worker {
            const ALL: &[Self] = &[$(Self::$worker),+];

            /// Returns the name of the worker's lease.
            const fn name(self) -> &'static str {
                match self { $(Self::$worker => $name,)+ }
            }

            /// Does the work that is due.
            async fn round(self, app: &Arc<App>, state: &mut WorkerState) -> Result<RoundOutcome, StoreError> {
                match self { $(Self::$worker => $round(app, state).await,)+ }
            }
        }
    };
}

workers! {
    /// Sends the mails in the outbox.
    Mail = "mail" => mail::round,
    /// Removes images that no document uses any more.
    Images = "images" => images::round,
    /// Finishes interrupted deletions, and forgets addresses that were removed long ago.
    Purge = "purge" => purge::round,
    /// Reduces the lines of carts to the stock.
    Stock = "stock" => stock::round,
}

/// The result of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoundOutcome {
    /// There may be more to do at once.
    MoreToDo,
    /// There is nothing to do at the moment.
    NothingToDo,
    /// Another instance has the lease now.
    LeaseLost,
}

/// The state that a worker keeps from round to round while it holds the lease. After an error or a lost lease, the next
/// round begins with an empty state, in this instance or in another one.
#[derive(Default)]
struct WorkerState {
    /// The lease, or `None` if the work is done without leases.
    lease: Option<Lease>,
    /// The change stream that the stock worker follows.
    stock_watch: Option<StockWatch>,
}

/// The running workers of this process.
pub struct Workers {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Workers {
    /// Starts all workers as tasks.
    pub fn start(app: &Arc<App>) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for &worker in Worker::ALL {
            let task =
                WorkerTask { app: Arc::clone(app), worker, holder: HolderId::new(), held_lease: None, failures: 0 };
            tasks.spawn(task.run(stop.clone()));
        }
        tasks.close();
        Self { stop, tasks }
    }

    /// Tells the workers to begin nothing new. Does not wait for them.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Tells the workers to stop and waits for them, for five seconds at most.
    pub async fn stop(self) {
        self.ask_to_stop();
        if tokio::time::timeout(STOP_LIMIT, self.tasks.wait()).await.is_err() {
            tracing::warn!("stopped with work in the background under way");
        }
    }
}

/// Does all work that is due, without leases, and returns when there is nothing left to do. This is for tests.
pub async fn run_until_idle(app: &Arc<App>) -> Result<(), StoreError> {
    for &worker in Worker::ALL {
        let mut state = WorkerState::default();
        while worker.round(app, &mut state).await? == RoundOutcome::MoreToDo {}
    }
    Ok(())
}

/// The task of one worker. It tries to get the lease and does rounds while it has it.
struct WorkerTask {
    app: Arc<App>,
    worker: Worker,
    holder: HolderId,
    /// The lease and what belongs to it, while this process holds the lease.
    held_lease: Option<HeldLease>,
    /// The number of errors since the last success.
    failures: u32,
}

/// A lease that this process holds.
struct HeldLease {
    lease: Lease,
    renewed_at: Instant,
    /// The state of the worker; `None` before the first round, after an error, and during a round, which takes it.
    state: Option<WorkerState>,
}

impl WorkerTask {
    async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.try_round().await {
                Ok(pause) => {
                    self.failures = 0;
                    pause
                }
                Err(error) => self.record_failure(&error),
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Some(held) = self.held_lease
            && let Err(error) = self.app.store.leases.release(held.lease).await
        {
            tracing::debug!(worker = self.worker.name(), %error, "the lease ends by itself");
        }
    }

    /// Does one round if this process has the lease or can take it. Returns the pause before the next attempt.
    async fn try_round(&mut self) -> Result<Duration, RoundError> {
        let Some((lease, state)) = self.begin_round().await? else { return Ok(STANDBY_PAUSE) };
        let (app, worker) = (Arc::clone(&self.app), self.worker);
        // The round runs in a task of its own, so that a panic ends only the round and not the worker.
        let mut round = tokio::spawn(async move {
            let mut state = state;
            worker.round(&app, &mut state).await.map(|outcome| (outcome, state))
        });
        loop {
            tokio::select! {
                joined = &mut round => {
                    let (outcome, state) = joined.map_err(|_| RoundError::Panicked)??;
                    return Ok(self.end_round(lease, outcome, state));
                }
                () = tokio::time::sleep(RENEWAL) => self.renew_lease_during_round().await,
            }
        }
    }

    /// Returns the lease and the worker's state, or `None` if another instance holds the lease.
    async fn begin_round(&mut self) -> Result<Option<(Lease, WorkerState)>, StoreError> {
        if self.held_lease.is_none() {
            self.app.store.leases.declare(self.worker.name()).await?;
        }
        if self.held_lease.as_ref().is_none_or(|held| held.renewed_at.elapsed() >= RENEWAL) {
            self.take_or_renew_lease().await?;
        }
        Ok(self.held_lease.as_mut().map(|held| {
            let fresh_state = || WorkerState { lease: Some(held.lease), stock_watch: None };
            (held.lease, held.state.take().unwrap_or_else(fresh_state))
        }))
    }

    /// Keeps the state for the next round. Returns the pause before it.
    fn end_round(&mut self, lease: Lease, outcome: RoundOutcome, state: WorkerState) -> Duration {
        self.app.metrics.record_round(self.worker.name(), self.app.clock.now().seconds());
        if outcome == RoundOutcome::LeaseLost {
            self.held_lease = None;
            return STANDBY_PAUSE;
        }
        if let Some(held) = self.held_lease.as_mut().filter(|held| held.lease == lease) {
            held.state = Some(state);
        }
        if outcome == RoundOutcome::MoreToDo { Duration::ZERO } else { IDLE_PAUSE }
    }

    /// Renews the lease while a round runs. An error is only logged, because the round runs to its end in any case. The
    /// next round asks for the lease again.
    async fn renew_lease_during_round(&mut self) {
        if let Err(error) = self.take_or_renew_lease().await {
            tracing::warn!(worker = self.worker.name(), %error, "a lease was not renewed");
        }
    }

    /// Takes or renews the lease. If another instance holds it, this process doesn't hold it any more.
    async fn take_or_renew_lease(&mut self) -> Result<(), StoreError> {
        let asked_at = Instant::now();
        let taken = self.app.store.leases.take(self.worker.name(), self.holder, LEASE_TIME).await?;
        match (taken, &mut self.held_lease) {
            (Some(lease), Some(held)) if held.lease == lease => held.renewed_at = asked_at,
            (Some(lease), held_lease) => {
                tracing::debug!(worker = lease.worker, epoch = lease.epoch, "works in this process from now on");
                *held_lease = Some(HeldLease { lease, renewed_at: asked_at, state: None });
            }
            (None, held_lease) => *held_lease = None,
        }
        Ok(())
    }

    /// Counts and logs an error. Returns the pause before the next attempt.
    fn record_failure(&mut self, error: &RoundError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(worker = self.worker.name(), failures = self.failures, %error, "work in the background failed");
        ERROR_PAUSES.pause_after(self.failures)
    }
}

/// The reason why a round failed.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The round panicked. The panic hook has logged the place.
    #[error("a panic")]
    Panicked,
}
