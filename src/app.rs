//! The parts of the shop that all requests share: settings, database, clock, keys, hashing threads and others.

use std::{path::Path, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::{
        hashing::{Counts, Hasher},
        sms::{SmsSender, Twilio},
        tokens::access::AccessTokens,
    },
    audits::store::Trail,
    catalogue::{cache::CatalogueCache, turns::SearchTurns},
    clock::Clock,
    config::{Config, read_or_create_secret},
    db::StoreError,
    images::{
        drawing::Drawing,
        homes::{Images, UnusableHome},
    },
    mail::sender::{MailError, Mailer},
    metrics::Metrics,
    store::Store,
    traces::{Traces, TracesError},
    values::{
        author::Author,
        keys::Keys,
        phone::{E164, Region},
    },
};

/// The parts of the shop that all requests share. A process usually has one `App`.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The clock.
    pub clock: Clock,
    pub(crate) store: Store,
    /// The cache of the catalogue. All code that writes to the catalogue must tell the cache.
    pub(crate) catalogue: CatalogueCache,
    pub(crate) keys: Keys,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) hasher: Hasher,
    pub(crate) metrics: Metrics,
    pub(crate) traces: Option<Arc<Traces>>,
    pub(crate) sms: SmsSender,
    /// Calls that continue without their caller, and work that calls leave for after their answer. A stopping server
    /// waits for these tasks.
    pub(crate) tasks: TaskTracker,
    /// Set when the server is told to stop. Callers should then be sent to another server.
    pub(crate) stopping: CancellationToken,
    pub(crate) images: Images,
    pub(crate) drawing: Drawing,
    pub(crate) searching: SearchTurns,
    pub(crate) mailer: Mailer,
}

/// The reason why the app can't be created.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database can't be reached or prepared.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing secret for development can't be read or created.
    #[error("the signing secret in {folder}: {source}")]
    Secret {
        /// The folder of the secret.
        folder: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The data folder can't be written to.
    #[error("DATA_DIR: nothing can be written to {folder}: {source}")]
    Folder {
        /// The data folder.
        folder: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The client for the SMS service can't be created.
    #[error("the SMS service: {0}")]
    Sms(reqwest::Error),
    /// The storage for images can't be used.
    #[error(transparent)]
    Images(#[from] UnusableHome),
    /// The client for the mail server can't be created.
    #[error("SMTP_URL: {0}")]
    Mail(MailError),
    /// The client for the collector of traces can't be created.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Traces(#[from] TracesError),
    /// A thread for hashes or images can't be started.
    #[error("a thread can't be started: {0}")]
    Threads(std::io::Error),
}

impl App {
    /// Connects to the database at `uri`, updates its collections and indexes, and starts all parts of the app. Fails
    /// if the database is a standalone server.
    pub async fn connect(config: Config, uri: &SecretString, clock: Clock) -> Result<Arc<Self>, AppError> {
        if config.keeps_files() {
            check_writable(&config.data_dir)?;
        }
        let keys = derive_keys(&config)?;
        let store = Store::connect(uri, &config.database.name).await?;
        store.prepare().await?;
        load_numbering_plans(config.default_region);
        let metrics = Metrics::new();
        let hashing_counts = Counts { done: metrics.bcrypt_jobs.clone(), refused: metrics.refused.hashing.clone() };
        Ok(Arc::new(Self {
            access_tokens: AccessTokens::new(&keys.access),
            traces: config.traces.as_deref().map(Traces::start).transpose()?.map(Arc::new),
            sms: sms_sender(&config)?,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            hasher: Hasher::start(config.bcrypt_cost, hashing_counts).map_err(AppError::Threads)?,
            catalogue: catalogue_cache(&config, &metrics, &store, &clock),
            metrics,
            images: Images::open(&config)?,
            drawing: Drawing::start().map_err(AppError::Threads)?,
            searching: SearchTurns::new(),
            mailer: open_mailer(&config).map_err(AppError::Mail)?,
            config,
            clock,
            store,
            keys,
        }))
    }

    /// Refuses a call that would wait too long for the database, and counts the refusal.
    pub(crate) fn admit(&self) -> Result<(), StoreError> {
        self.store.admit().inspect_err(|_| {
            self.metrics.refused.database.inc();
        })
    }

    /// Returns the details for the audits of a change that is made now. `author` is `None` for changes without a user.
    pub(crate) fn trail(&self, author: Option<&Author>) -> Trail {
        Trail { author: author.cloned(), now: self.clock.now(), retention: self.config.audit_retention }
    }

    /// Sends the last traces and closes the connections to the database. Call this when nothing is served any more.
    pub async fn close(&self) {
        if let Some(traces) = &self.traces {
            traces.stop().await;
        }
        self.store.clone().close().await;
    }
}

/// Creates the folder and writes a file to it, so that a wrong folder is found at the start and not with the first
/// image.
fn check_writable(folder: &Path) -> Result<(), AppError> {
    let draft = folder.join(format!("try.{}", std::process::id()));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&draft, "x"));
    let checked = written.and_then(|()| std::fs::remove_file(draft));
    checked.map_err(|source| AppError::Folder { folder: folder.display().to_string(), source })
}

/// Loads the numbering plans of all countries on another thread. That takes a moment, and the first caller shouldn't
/// have to wait for it.
fn load_numbering_plans(region: Region) {
    tokio::task::spawn_blocking(move || E164::parse("0", region));
}

fn catalogue_cache(config: &Config, metrics: &Metrics, store: &Store, clock: &Clock) -> CatalogueCache {
    let (reads, health) = (metrics.catalogue_reads.clone(), Arc::clone(&store.health));
    CatalogueCache::new(config.catalogue_cache, reads, health, config.stale_if_error, clock.clone())
}

fn sms_sender(config: &Config) -> Result<SmsSender, AppError> {
    match &config.sms.twilio {
        Some(account) => Twilio::new(account).map(|twilio| SmsSender::Twilio(Arc::new(twilio))).map_err(AppError::Sms),
        None => Ok(SmsSender::Local(config.data_dir.join("sms"))),
    }
}

fn open_mailer(config: &Config) -> Result<Mailer, MailError> {
    let from = config.mail.from.clone();
    match &config.mail.smtp_url {
        Some(url) => Mailer::smtp(url, from),
        None => Ok(Mailer::folder(config.data_dir.join("mail"), from)),
    }
}

fn derive_keys(config: &Config) -> Result<Keys, AppError> {
    let secret = match &config.jwt_secret {
        Some(secret) => secret.clone(),
        None => {
            let created = std::fs::create_dir_all(&config.data_dir);
            let stored = created.and_then(|()| read_or_create_secret(&config.data_dir));
            stored.map_err(|source| AppError::Secret { folder: config.data_dir.display().to_string(), source })?
        }
    };
    let previous = config.jwt_secret_previous.as_ref().map(|secret| secret.expose_secret().as_bytes());
    Ok(Keys::derive(secret.expose_secret().as_bytes(), previous))
}
