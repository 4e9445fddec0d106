//! The events that end a long-running process: signals, and the end of the private mongod.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Failure, database::RunningDatabase};
use crate::app::App;

/// The maximum time for sending the last traces and closing the connections to the database.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// Waits for the events that end the process.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    /// How the private mongod ended by itself, with the reason if it is known.
    lost_mongod: Option<String>,
}

impl StopSignals {
    /// Starts to catch SIGTERM and SIGINT. From now on they no longer end the process at once.
    pub fn catch() -> std::io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, lost_mongod: None })
    }

    /// Waits for SIGTERM or SIGINT, or for the end of the private mongod.
    pub async fn wait(&mut self, database: &RunningDatabase) {
        let mongod = async {
            let Some(mongod) = &database.mongod else { return std::future::pending().await };
            let status = mongod.ended().await;
            let reason = if mongod.is_disk_full() { ": the disk is full" } else { "" };
            format!("{status}{reason}")
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            ending = mongod => self.lost_mongod = Some(ending),
        }
    }

    /// Closes the app's connections, for three seconds at most. Returns the same as [`StopSignals::outcome`].
    pub async fn close(self, app: &App) -> Result<(), Failure> {
        if tokio::time::timeout(CLOSE_LIMIT, app.close()).await.is_err() {
            tracing::warn!("connections to the database were still in use");
        }
        self.outcome()
    }

    /// Returns an error if the private mongod ended by itself.
    pub fn outcome(&self) -> Result<(), Failure> {
        match &self.lost_mongod {
            Some(ending) => Err(format!("the private mongod ended by itself ({ending})").into()),
            None => Ok(()),
        }
    }
}
