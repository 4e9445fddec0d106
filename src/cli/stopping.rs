//! What ends a process that would run for ever.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, database::Database};
use crate::app::App;

/// How long open connections to the database may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// The signals, caught from when this is made.
pub struct Stopping {
    terminate: Signal,
    interrupt: Signal,
    /// How the private mongod ended, and why as far as that is known.
    lost_mongod: Option<String>,
}

impl Stopping {
    /// Catches the signals from now on.
    pub fn catch() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, lost_mongod: None })
    }

    /// Waits for SIGTERM or SIGINT, or until the private mongod ends by itself.
    pub async fn wait(&mut self, database: &Database) {
        let mongod = async {
            let Some(mongod) = &database.mongod else { return std::future::pending().await };
            let status = mongod.ended().await;
            let why = if mongod.is_disk_full() { ": the disk is full" } else { "" };
            format!("{status}{why}")
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            end = mongod => self.lost_mongod = Some(end),
        }
    }

    /// Closes the connections to the database, and says whether the process ends as it should.
    pub async fn close(self, app: &App) -> Result<(), Failure> {
        if tokio::time::timeout(CLOSE_LIMIT, app.close()).await.is_err() {
            tracing::warn!("connections to the database were still in use");
        }
        self.outcome()
    }

    /// Whether the process ends as it should.
    pub fn outcome(&self) -> Result<(), Failure> {
        match &self.lost_mongod {
            Some(end) => Err(format!("the private mongod ended by itself ({end})").into()),
            None => Ok(()),
        }
    }
}
