//! `myspares serve`: starts the server, and stops it together with everything that it has started.

use std::sync::Arc;

use super::{Failure, database::RunningDatabase, stopping::StopSignals};
use crate::{
    app::App,
    clock::Clock,
    config::{AppEnv, Config},
    http::{Listeners, serve},
    workers::Workers,
};

/// The arguments of `serve`.
#[derive(clap::Args, Default)]
pub struct ServeArgs {
    /// Leave the background work to other processes (`myspares work`)
    #[arg(long)]
    no_workers: bool,
}

/// Serves until SIGTERM or SIGINT arrives. Fails if the private mongod ends by itself.
pub async fn run(config: Config, args: ServeArgs) -> Result<(), Failure> {
    let listeners = Listeners::bind(config.host, config.port)
        .await
        .map_err(|error| format!("can't listen on {} port {}: {error}", config.host, config.port))?;
    let database = RunningDatabase::own(&config).await?;
    let outcome = serve_on(config, listeners, &database, &args).await;
    database.stop().await;
    outcome
}

async fn serve_on(
    config: Config,
    listeners: Listeners,
    database: &RunningDatabase,
    args: &ServeArgs,
) -> Result<(), Failure> {
    let mut stop_signals = StopSignals::catch()?;
    warn_of_unusual_production(&config);
    let app = tokio::select! {
        app = App::connect(config, &database.uri, Clock::system()) => app?,
        () = stop_signals.wait(database) => return stop_signals.outcome(),
    };
    let workers = (!args.no_workers).then(|| Workers::start(&app));
    tracing::info!("serving {url}/ (Swagger UI at {url}/docs)", url = listeners.url());
    let wait_for_stop = async {
        stop_signals.wait(database).await;
        // The workers begin nothing new, but can finish their mails while the last requests are answered.
        if let Some(workers) = &workers {
            workers.ask_to_stop();
        }
    };
    serve(Arc::clone(&app), listeners, wait_for_stop).await?;
    if let Some(workers) = workers {
        workers.stop().await;
    }
    stop_signals.close(&app).await
}

/// Logs warnings about settings that are allowed in production but are seldom intended.
fn warn_of_unusual_production(config: &Config) {
    if config.app_env != AppEnv::Production {
        return;
    }
    if !config.cookie.secure {
        tracing::warn!("COOKIE_SECURE=false: the refresh cookie also travels over plain HTTP");
    }
    if config.mail.frontend_url.contains("//localhost") || config.mail.from.email.domain() == "localhost" {
        tracing::warn!(
            "FRONTEND_URL and MAIL_FROM: mails of the shop and the links in them should not be of localhost"
        );
    }
    if config.database.uri.is_none() {
        tracing::warn!("MONGO_URI is unset: all data are in a private mongod on this machine alone");
    }
}
