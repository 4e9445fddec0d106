//! Work in the background, one file a worker. Any number of instances may run them: a lease lets one at a time do the
//! work of each (U8), and the work itself bears being done twice, since a lease may end while its holder sleeps.

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
    db::{StoreError, leases::Lease},
    values::ids::HolderId,
};

/// How long a lease lasts. Another instance takes over within this and [`STANDBY`].
const LEASE: Duration = Duration::from_secs(10);
/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(3);
/// How often an instance without the lease asks for it.
const STANDBY: Duration = Duration::from_secs(4);
/// How often a worker with nothing to do looks again.
const POLL: Duration = Duration::from_millis(500);
/// The longest pause after errors; the first one is [`POLL`], and each is twice the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long work may take to finish once it is told to stop. What is cut off is done again by the next to come.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// What is done in the background.
#[derive(Debug, Clone, Copy)]
enum Worker {
    /// Sends what is in the outbox.
    Mail,
    /// Removes images that no document shows.
    Images,
    /// Finishes deletions that were cut off.
    Purge,
    /// Keeps carts to the stock.
    Stock,
}

/// How to go on after a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// There may be more to do right away.
    Busy,
    /// There is nothing to do at the moment.
    Idle,
    /// Somebody else has the lease by now.
    Relieved,
}

/// What a worker keeps from round to round, from taking the lease to losing it or to the first error: whoever comes
/// next, here or elsewhere, begins with an empty one.
#[derive(Default)]
struct Shift {
    /// The turn; `None` for work without leases.
    lease: Option<Lease>,
    /// The stream of changes that the stock worker follows.
    following: Option<stock::Following>,
}

impl Worker {
    const ALL: [Self; 4] = [Self::Mail, Self::Images, Self::Purge, Self::Stock];

    /// The name of its lease.
    const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Images => "images",
            Self::Purge => "purge",
            Self::Stock => "stock",
        }
    }

    /// Does what is due.
    async fn round(self, app: &Arc<App>, shift: &mut Shift) -> Result<Round, StoreError> {
        match self {
            Self::Mail => mail::round(app).await,
            Self::Images => images::round(app).await,
            Self::Purge => purge::round(app).await,
            Self::Stock => stock::round(app, shift).await,
        }
    }
}

/// The running workers of this process.
pub struct Workers {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Workers {
    /// Starts all of them.
    pub fn start(app: &Arc<App>) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for worker in Worker::ALL {
            let turns = Turns { app: Arc::clone(app), worker, holder: HolderId::new(), turn: None, failures: 0 };
            tasks.spawn(turns.run(stop.clone()));
        }
        tasks.close();
        Self { stop, tasks }
    }

    /// Tells them to begin nothing new.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Waits until they have stopped, for a few seconds at most.
    pub async fn stop(self) {
        self.ask_to_stop();
        if tokio::time::timeout(STOP_LIMIT, self.tasks.wait()).await.is_err() {
            tracing::warn!("stopped with work in the background under way");
        }
    }
}

/// Does everything that is due, without leases; for tests, which don't want to wait for turns.
pub async fn run_until_idle(app: &Arc<App>) -> Result<(), StoreError> {
    for worker in Worker::ALL {
        let mut shift = Shift::default();
        while worker.round(app, &mut shift).await? == Round::Busy {}
    }
    Ok(())
}

/// One worker's turns at its lease.
struct Turns {
    app: Arc<App>,
    worker: Worker,
    holder: HolderId,
    /// The current turn, while the lease is held.
    turn: Option<Turn>,
    failures: u32,
}

struct Turn {
    lease: Lease,
    renewed_at: Instant,
    /// `None` before the first round, after an error, and while a round has it.
    shift: Option<Shift>,
}

impl Turns {
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

    /// Works once, if the lease is to be had; returns how long to wait before the next time.
    async fn take_turn(&mut self) -> Result<Duration, Failed> {
        let Some((lease, shift)) = self.begin_round().await? else { return Ok(STANDBY) };
        let (app, worker) = (Arc::clone(&self.app), self.worker);
        // A task of its own, so that a panic ends this round and not the worker.
        let mut round = tokio::spawn(async move {
            let mut shift = shift;
            worker.round(&app, &mut shift).await.map(|round| (round, shift))
        });
        loop {
            tokio::select! {
                done = &mut round => {
                    let (round, shift) = done.map_err(|_| Failed::Panicked)??;
                    return Ok(self.end_round(lease, round, shift));
                }
                () = tokio::time::sleep(RENEWAL) => self.hold_on().await,
            }
        }
    }

    /// The lease and what the worker keeps, if the lease is to be had.
    async fn begin_round(&mut self) -> Result<Option<(Lease, Shift)>, StoreError> {
        if self.turn.is_none() {
            self.app.store.leases.declare(self.worker.name()).await?;
        }
        if self.turn.as_ref().is_none_or(|turn| turn.renewed_at.elapsed() >= RENEWAL) {
            self.hold().await?;
        }
        Ok(self.turn.as_mut().map(|turn| {
            let fresh = || Shift { lease: Some(turn.lease), following: None };
            (turn.lease, turn.shift.take().unwrap_or_else(fresh))
        }))
    }

    fn end_round(&mut self, lease: Lease, round: Round, shift: Shift) -> Duration {
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

    /// Renews the lease while a round runs. The round ends in any case, before the next one begins.
    async fn hold_on(&mut self) {
        if let Err(error) = self.hold().await {
            tracing::warn!(worker = self.worker.name(), %error, "a lease was not renewed");
        }
    }

    /// Takes or renews the lease.
    async fn hold(&mut self) -> Result<(), StoreError> {
        let asked_at = Instant::now();
        let held = self.app.store.leases.take(self.worker.name(), self.holder, LEASE).await?;
        match (held, &mut self.turn) {
            (Some(lease), Some(turn)) if turn.lease == lease => turn.renewed_at = asked_at,
            (Some(lease), turn) => {
                tracing::debug!(worker = lease.worker, epoch = lease.epoch, "works in this process from now on");
                *turn = Some(Turn { lease, renewed_at: asked_at, shift: None });
            }
            (None, turn) => *turn = None,
        }
        Ok(())
    }

    fn pause_after(&mut self, error: &Failed) -> Duration {
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(worker = self.worker.name(), failures = self.failures, %error, "work in the background failed");
        POLL.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_PAUSE)
    }
}

/// Why a round was not done.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own fault; the panic hook has written where.
    #[error("a panic")]
    Panicked,
}
