//! `myspares work`: does the background work without a server.

use super::{Failure, database::RunningDatabase, stopping::StopSignals};
use crate::{app::App, clock::Clock, config::Config, workers::Workers};

/// Works until SIGTERM or SIGINT arrives. Fails if the private mongod ends by itself.
pub async fn run(config: Config) -> Result<(), Failure> {
    let database = RunningDatabase::own_or_shared(&config).await?;
    let outcome = work_on(config, &database).await;
    database.stop().await;
    outcome
}

async fn work_on(config: Config, database: &RunningDatabase) -> Result<(), Failure> {
    let mut stop_signals = StopSignals::catch()?;
    let app = App::connect(config, &database.uri, Clock::system()).await?;
    let workers = Workers::start(&app);
    tracing::info!("working in the background");
    stop_signals.wait(database).await;
    workers.stop().await;
    stop_signals.close(&app).await
}
