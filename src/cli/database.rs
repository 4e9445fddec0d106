//! The database that a subcommand uses: the configured one or the private mongod.

use secrecy::SecretString;

use crate::{
    config::Config,
    embedded::{EmbeddedError, PrivateMongod},
};

/// A database that can be connected to. Call [`RunningDatabase::stop`] at the end, to stop a private mongod cleanly.
pub struct RunningDatabase {
    /// The connection string.
    pub uri: SecretString,
    /// The private mongod, if this process started it.
    pub mongod: Option<PrivateMongod>,
}

impl RunningDatabase {
    /// Returns the configured database. Without one, starts the private mongod, which fails if another process uses it.
    pub async fn own(config: &Config) -> Result<Self, EmbeddedError> {
        if let Some(uri) = &config.database.uri {
            return Ok(Self { uri: uri.clone(), mongod: None });
        }
        let folder = config.data_dir.join("db");
        let mongod = PrivateMongod::start(&folder, config.database.mongod_bin.as_deref()).await?;
        Ok(Self { uri: mongod.uri().into(), mongod: Some(mongod) })
    }

    /// Like [`RunningDatabase::own`], but also uses the private mongod of a running server.
    pub async fn own_or_shared(config: &Config) -> Result<Self, EmbeddedError> {
        let running = PrivateMongod::running_on(&config.data_dir.join("db"));
        match running.filter(|_| config.database.uri.is_none()) {
            Some(uri) => Ok(Self { uri: uri.into(), mongod: None }),
            None => Self::own(config).await,
        }
    }

    /// Stops the private mongod, if this process started one.
    pub async fn stop(self) {
        if let Some(mongod) = self.mongod {
            mongod.stop().await;
        }
    }
}
