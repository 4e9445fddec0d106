//! Limits: slots are taken before anything is hashed or sent, and given back when the reason for counting is gone.

use crate::{
    app::App,
    domain::{ids::HitId, limits::Action},
    store::StoreError,
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

/// Slots that were taken together.
#[derive(Debug)]
pub struct Slots {
    keys: Vec<String>,
    hit: HitId,
}

/// Takes a slot of each action for its subject, or none.
pub async fn take(app: &App, wanted: &[(Action, String)]) -> Result<Slots, LimitError> {
    let (now, mut slots) = (app.clock.now(), Slots { keys: Vec::new(), hit: HitId::new() });
    for (action, subject) in wanted {
        let Some(rate) = app.config.limits.rate(*action) else { continue };
        let key = key(app, *action, subject);
        if let Err(free_at) = app.store.rate_limits.take(&key, slots.hit, rate, now).await? {
            let millis = free_at.millis() - now.millis();
            slots.give_back(app).await?;
            let retry_after = u64::try_from(millis).unwrap_or(0).div_ceil(1000).max(1);
            return Err(LimitError::Exceeded { action: *action, retry_after });
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
