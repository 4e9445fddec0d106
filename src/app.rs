//! Everything that a request can reach: settings, database, clock, keys and the hashing threads.

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
    catalogue::{cache::CatalogueCache, turns::Searching},
    clock::Clock,
    config::{Config, kept_secret},
    db::StoreError,
    images::{
        drawing::Drawing,
        homes::{Images, UnusableHome},
    },
    mail::sender::{MailError, Mailer},
    metrics::Metrics,
    store::Store,
    traces::{Traces, TracesError},
    values::{author::Author, keys::Keys, phone::E164},
};

/// The shop's moving parts, made once and shared by all requests.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The clock.
    pub clock: Clock,
    pub(crate) store: Store,
    /// What is kept of the catalogue; whatever writes to the catalogue tells it.
    pub(crate) catalogue: CatalogueCache,
    pub(crate) keys: Keys,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) hasher: Hasher,
    pub(crate) metrics: Metrics,
    pub(crate) traces: Option<Arc<Traces>>,
    pub(crate) sms: SmsSender,
    /// Calls, and what they leave to be done behind their answer; awaited when the server stops.
    pub(crate) tasks: TaskTracker,
    /// Set when the order to stop has come: callers should be sent elsewhere.
    pub(crate) stopping: CancellationToken,
    pub(crate) images: Images,
    pub(crate) drawing: Drawing,
    pub(crate) searching: Searching,
    pub(crate) mailer: Mailer,
}

/// Why the app can't be made.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing secret of development.
    #[error("the signing secret in {folder}: {source}")]
    Secret {
        /// The folder it is kept in.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder of what is kept on disk.
    #[error("DATA_DIR: nothing can be written to {folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The client of the SMS service.
    #[error("the SMS service: {0}")]
    Sms(reqwest::Error),
    /// The place where images are kept.
    #[error(transparent)]
    Images(#[from] UnusableHome),
    /// The way to send mails.
    #[error("SMTP_URL: {0}")]
    Mail(MailError),
    /// The way to the collector of traces.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Traces(#[from] TracesError),
    /// The threads for hashes and images.
    #[error("a thread can't be started: {0}")]
    Threads(std::io::Error),
}

impl App {
    /// Connects to the database at `uri` and makes it ready for use.
    pub async fn connect(config: Config, uri: &SecretString, clock: Clock) -> Result<Arc<Self>, AppError> {
        if config.keeps_files() {
            let told = |source| AppError::Folder { folder: config.data_dir.display().to_string(), source };
            try_to_write(&config.data_dir).map_err(told)?;
        }
        let keys = keys(&config)?;
        let store = Store::connect(uri, &config.database.name).await?;
        store.prepare().await?;
        // The numbering plans of all countries take a moment to load; not at the first caller's expense.
        let region = config.default_region;
        tokio::task::spawn_blocking(move || E164::parse("0", region));
        let metrics = Metrics::new();
        let hashing = Counts { done: metrics.bcrypt_jobs.clone(), refused: metrics.refused.hashing.clone() };
        Ok(Arc::new(Self {
            access_tokens: AccessTokens::new(&keys.access),
            traces: config.traces.as_deref().map(Traces::start).transpose()?.map(Arc::new),
            sms: sms(&config)?,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            hasher: Hasher::start(config.bcrypt_cost, hashing).map_err(AppError::Threads)?,
            catalogue: CatalogueCache::new(
                config.catalogue_cache,
                metrics.catalogue_reads.clone(),
                Arc::clone(&store.health),
                config.stale_if_error,
            ),
            metrics,
            images: Images::open(&config)?,
            drawing: Drawing::start().map_err(AppError::Threads)?,
            searching: Searching::new(),
            mailer: mailer(&config).map_err(AppError::Mail)?,
            config,
            clock,
            store,
            keys,
        }))
    }

    /// Refuses a call that would wait too long for the database, and counts it.
    pub(crate) fn admit(&self) -> Result<(), StoreError> {
        self.store.admit().inspect_err(|_| {
            self.metrics.refused.database.inc();
        })
    }

    /// What audits say of an act of this moment.
    pub(crate) fn trail(&self, author: Option<&Author>) -> Trail {
        Trail { author: author.cloned(), now: self.clock.now(), retention: self.config.audit_retention }
    }

    /// Closes the connections to the database; to be called when nothing is served any more.
    pub async fn close(&self) {
        if let Some(traces) = &self.traces {
            traces.stop().await;
        }
        self.store.clone().close().await;
    }
}

/// Better now than when the first image comes.
fn try_to_write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let draft = folder.join(format!("try.{}", std::process::id()));
    std::fs::write(&draft, "x")?;
    std::fs::remove_file(draft)
}

fn sms(config: &Config) -> Result<SmsSender, AppError> {
    match &config.sms.twilio {
        Some(account) => Twilio::new(account).map(|twilio| SmsSender::Twilio(Arc::new(twilio))).map_err(AppError::Sms),
        None => Ok(SmsSender::Local(config.data_dir.join("sms"))),
    }
}

fn mailer(config: &Config) -> Result<Mailer, MailError> {
    let from = config.mail.from.clone();
    match &config.mail.smtp_url {
        Some(url) => Mailer::smtp(url, from),
        None => Ok(Mailer::folder(config.data_dir.join("mail"), from)),
    }
}

fn keys(config: &Config) -> Result<Keys, AppError> {
    let secret = match &config.jwt_secret {
        Some(secret) => secret.clone(),
        None => {
            let kept = std::fs::create_dir_all(&config.data_dir).and_then(|()| kept_secret(&config.data_dir));
            kept.map_err(|source| AppError::Secret { folder: config.data_dir.display().to_string(), source })?
        }
    };
    let previous = config.jwt_secret_previous.as_ref().map(|secret| secret.expose_secret().as_bytes());
    Ok(Keys::derive(secret.expose_secret().as_bytes(), previous))
}
