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
    values::ids::HolderId,
};

/// The duration of a lease. If its holder dies, another instance takes over after at most this time and [`STANDBY`].
const LEASE: Duration = Duration::from_secs(10);
/// The time between two renewals of a lease.
const RENEWAL: Duration = Duration::from_secs(3);
/// The pause after which an instance without the lease asks for it again.
const STANDBY: Duration = Duration::from_secs(4);
/// The pause of a worker that has nothing to do.
const POLL: Duration = Duration::from_millis(500);
/// The maximum pause after an error. The first pause is twice [`POLL`], and each further error in a row doubles it.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
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
            async fn round(self, app: &Arc<App>, watch: &mut Watch) -> Result<Round, StoreError> {
                match self { $(Self::$worker => $round(app, watch).await,)+ }
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
enum Round {
    /// There may be more to do at once.
    Busy,
    /// There is nothing to do at the moment.
    Idle,
    /// Another instance has the lease now.
    Relieved,
}

/// The state that a worker keeps from round to round while it holds the lease. After an error or a lost lease, the next
/// round begins with an empty state, in this instance or in another one.
#[derive(Default)]
struct Watch {
    /// The lease, or `None` if the work is done without leases.
    lease: Option<Lease>,
    /// The change stream that the stock worker follows.
    following: Option<StockWatch>,
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
            let turns = Schedule { app: Arc::clone(app), worker, holder: HolderId::new(), turn: None, failures: 0 };
            tasks.spawn(turns.run(stop.clone()));
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
        let mut shift = Watch::default();
        while worker.round(app, &mut shift).await? == Round::Busy {}
    }
    Ok(())
}

/// The task of one worker. It tries to hold the lease and does rounds while it has it.
struct Schedule {
    app: Arc<App>,
    worker: Worker,
    holder: HolderId,
    /// The current turn, while this process holds the lease.
    turn: Option<HeldLease>,
    /// The number of errors since the last success.
    failures: u32,
}

/// The time during which this process holds one lease.
struct HeldLease {
    lease: Lease,
    renewed_at: Instant,
    /// `None` before the first round, after an error, and during a round, which takes it.
    shift: Option<Watch>,
}

impl Schedule {
    async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.take_turn().await {
                Ok(pause) => {
                    self.failures = 0;
                    pause
                }
                Err(error) => self.pause_after(&error),
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Some(turn) = self.turn
            && let Err(error) = self.app.store.leases.release(turn.lease).await
        {
            tracing::debug!(worker = self.worker.name(), %error, "the lease ends by itself");
        }
    }

    /// Does one round if this process has the lease or can take it. Returns the pause before the next attempt.
    async fn take_turn(&mut self) -> Result<Duration, RoundError> {
        let Some((lease, shift)) = self.begin_round().await? else { return Ok(STANDBY) };
        let (app, worker) = (Arc::clone(&self.app), self.worker);
        // The round runs in a task of its own, so that a panic ends only the round and not the worker.
        let mut round = tokio::spawn(async move {
            let mut shift = shift;
            worker.round(&app, &mut shift).await.map(|round| (round, shift))
        });
        loop {
            tokio::select! {
                done = &mut round => {
                    let (round, shift) = done.map_err(|_| RoundError::Panicked)??;
                    return Ok(self.end_round(lease, round, shift));
                }
                () = tokio::time::sleep(RENEWAL) => self.hold_on().await,
            }
        }
    }

    /// Returns the lease and the worker's state, or `None` if another instance holds the lease.
    async fn begin_round(&mut self) -> Result<Option<(Lease, Watch)>, StoreError> {
        if self.turn.is_none() {
            self.app.store.leases.declare(self.worker.name()).await?;
        }
        if self.turn.as_ref().is_none_or(|turn| turn.renewed_at.elapsed() >= RENEWAL) {
            self.hold().await?;
        }
        Ok(self.turn.as_mut().map(|turn| {
            let fresh = || Watch { lease: Some(turn.lease), following: None };
            (turn.lease, turn.shift.take().unwrap_or_else(fresh))
        }))
    }

    fn end_round(&mut self, lease: Lease, round: Round, shift: Watch) -> Duration {
        self.app.metrics.worked(self.worker.name(), self.app.clock.now().seconds());
        if round == Round::Relieved {
            self.turn = None;
            return STANDBY;
        }
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.lease == lease) {
            turn.shift = Some(shift);
        }
        if round == Round::Busy { Duration::ZERO } else { POLL }
    }

    /// Renews the lease while a round runs. An error is only logged, because the round runs to its end in any case. The
    /// next round asks for the lease again.
    async fn hold_on(&mut self) {
        if let Err(error) = self.hold().await {
            tracing::warn!(worker = self.worker.name(), %error, "a lease was not renewed");
        }
    }

    /// Takes or renews the lease. If another instance holds it, the turn of this process ends.
    async fn hold(&mut self) -> Result<(), StoreError> {
        let asked_at = Instant::now();
        let held = self.app.store.leases.take(self.worker.name(), self.holder, LEASE).await?;
        match (held, &mut self.turn) {
            (Some(lease), Some(turn)) if turn.lease == lease => turn.renewed_at = asked_at,
            (Some(lease), turn) => {
                tracing::debug!(worker = lease.worker, epoch = lease.epoch, "works in this process from now on");
                *turn = Some(HeldLease { lease, renewed_at: asked_at, shift: None });
            }
            (None, turn) => *turn = None,
        }
        Ok(())
    }

    /// Logs an error and returns the pause before the next attempt.
    fn pause_after(&mut self, error: &RoundError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(worker = self.worker.name(), failures = self.failures, %error, "work in the background failed");
        POLL.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_PAUSE)
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
