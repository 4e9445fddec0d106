//! Limits: slots are taken before anything is hashed or sent, and given back when the reason for counting is gone.

pub(crate) mod store;

use crate::{
    app::App,
    db::StoreError,
    values::{ids::HitId, limits::Action, net::Client},
};

/// Why something isn't done now.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// It was done too often.
    #[error("{}", .action.message())]
    Exceeded {
        /// What.
        action: Action,
        /// Seconds until it can be done again.
        retry_after: u64,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An action, and for whom it counts.
#[derive(Debug, Clone)]
pub struct Count {
    action: Action,
    /// Words with spaces between them.
    subject: String,
    /// So many times the action's rate is allowed.
    width: u32,
}

impl Count {
    /// Counts an action for one subject.
    pub fn of(action: Action, subject: impl Into<String>) -> Self {
        Self { action, subject: subject.into(), width: 1 }
    }

    /// Counts an action for where a call comes from: its address, and for IPv6 the networks around it. `about` are words
    /// that make it a count of its own; they come first, so that all addresses can be found by them.
    pub fn by_address(action: Action, about: &str, client: Client) -> impl Iterator<Item = Self> {
        let words = if about.is_empty() { String::new() } else { format!("{about} ") };
        let nets = client.nets().into_iter();
        nets.map(move |net| Self { action, subject: format!("{words}{}", net.name), width: net.width })
    }
}

/// Slots that were taken together.
#[derive(Debug)]
pub struct Slots {
    keys: Vec<String>,
    hit: HitId,
}

/// Takes a slot of each count, or none.
pub async fn take(app: &App, wanted: impl IntoIterator<Item = Count>) -> Result<Slots, LimitError> {
    let (now, mut slots) = (app.clock.now(), Slots { keys: Vec::new(), hit: HitId::new() });
    for Count { action, subject, width } in wanted {
        let Some(rate) = app.config.limits.rate(action) else { continue };
        let key = key(app, action, &subject);
        if let Err(free_at) = app.store.rate_limits.take(&key, slots.hit, rate.widened(width), now).await? {
            let millis = free_at.millis() - now.millis();
            slots.give_back(app).await?;
            app.metrics.limit_reached(action.variable());
            let retry_after = u64::try_from(millis).unwrap_or(0).div_ceil(1000).max(1);
            return Err(LimitError::Exceeded { action, retry_after });
        }
        slots.keys.push(key);
    }
    Ok(slots)
}

impl Slots {
    /// Gives all of them back.
    pub async fn give_back(self, app: &App) -> Result<(), StoreError> {
        for key in self.keys {
            app.store.rate_limits.give_back(&key, self.hit).await?;
        }
        Ok(())
    }
}

/// Forgets what was counted of an action for every subject that begins with `word`.
pub async fn clear(app: &App, action: Action, word: &str) -> Result<(), StoreError> {
    app.store.rate_limits.clear(&key(app, action, word)).await
}

/// Whether an action is closed to a subject that begins with `word`.
pub async fn is_reached(app: &App, action: Action, word: &str) -> Result<bool, StoreError> {
    let Some(rate) = app.config.limits.rate(action) else { return Ok(false) };
    app.store.rate_limits.is_full(&key(app, action, word), rate, app.clock.now()).await
}

/// Subjects are numbers, names and addresses: only the keyed hashes of their words are stored, one by one, so that all
/// addresses that tried one account can be found by the account: its own word begins their keys.
pub fn key(app: &App, action: Action, subject: &str) -> String {
    let digest = |word: &str| -> String {
        let tag = app.keys.limits[0].tag(&[action.variable().as_bytes(), word.as_bytes()]);
        tag[..12].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let words: Vec<String> = subject.split(' ').map(digest).collect();
    format!("{}:{}", action.variable(), words.join(":"))
}
