//! `myspares serve`: from the settings to a listening server, and back to nothing left running.

use std::{process::ExitStatus, sync::Arc, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, database::Database};
use crate::{
    app::App,
    config::{AppEnv, Config},
    embedded::PrivateMongod,
    http::{Listeners, serve},
    integrations::clock::Clock,
};

/// How long open connections to the database may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT, or until the private mongod ends by itself.
pub async fn run(config: Config) -> Result<(), Failure> {
    let listeners = Listeners::bind(config.host, config.port)
        .await
        .map_err(|error| format!("can't listen on {} port {}: {error}", config.host, config.port))?;
    let database = Database::own(&config).await?;
    let outcome = serve_on(config, listeners, &database).await;
    database.stop().await;
    outcome
}

async fn serve_on(config: Config, listeners: Listeners, database: &Database) -> Result<(), Failure> {
    let asked_to_stop = asked_to_stop()?;
    warn_of_unusual_production(&config);
    let mut asked_to_stop = Box::pin(asked_to_stop);
    let app = tokio::select! {
        app = App::connect(config, &database.uri, Clock::system()) => app?,
        () = &mut asked_to_stop => return Ok(()),
    };
    tracing::info!("serving {url}/ (Swagger UI at {url}/docs)", url = listeners.url());
    let mut lost_mongod = None;
    let stop = async {
        tokio::select! {
            () = asked_to_stop => {}
            status = ended(database.mongod.as_ref()) => lost_mongod = Some(status),
        }
    };
    serve(Arc::clone(&app), listeners, stop).await?;
    if tokio::time::timeout(CLOSE_LIMIT, app.close()).await.is_err() {
        tracing::warn!("connections to the database were still in use");
    }
    match lost_mongod {
        Some(status) => Err(format!("the private mongod ended by itself ({status})").into()),
        None => Ok(()),
    }
}

/// What is allowed in production, and seldom meant.
fn warn_of_unusual_production(config: &Config) {
    if config.app_env != AppEnv::Production {
        return;
    }
    if !config.cookie.secure {
        tracing::warn!("COOKIE_SECURE=false: the refresh cookie also travels over plain HTTP");
    }
    if config.database.uri.is_none() {
        tracing::warn!("MONGO_URI is unset: all data are in a private mongod on this machine alone");
    }
}

/// Catches the signals from now on; the future ends with the first of them.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn ended(mongod: Option<&PrivateMongod>) -> ExitStatus {
    match mongod {
        Some(mongod) => mongod.ended().await,
        None => std::future::pending().await,
    }
}
