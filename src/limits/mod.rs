//! Limits on how often actions may be done.
//!
//! A call takes a slot before it does anything expensive, such as hashing a password or sending an SMS. It gives the
//! slot back if the action turns out not to count. For example, a sign-in takes a slot of "failed sign-ins", compares
//! the password, and gives the slot back if the password is right.

pub(crate) mod store;

use self::store::Attempt;
use crate::{
    app::App,
    db::StoreError,
    values::{ids::HitId, limits::Action, net::Client, time::Timestamp},
};

/// Why no slot was taken.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The action was done too often.
    #[error("{}", .action.message())]
    Exceeded {
        /// The action whose limit is reached.
        action: Action,
        /// Seconds until the action can be done again, at least 1.
        retry_after: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An action and the subject for which it is counted, such as failed sign-ins to one account.
#[derive(Debug, Clone)]
pub struct Count {
    action: Action,
    /// The subject as words separated by spaces, such as an account's id and a network address.
    subject: String,
    /// Factor by which the action's rate is multiplied.
    width: u32,
}

impl Count {
    /// Counts an action for one subject.
    pub fn of(action: Action, subject: impl Into<String>) -> Self {
        Self { action, subject: subject.into(), width: 1 }
    }

    /// Counts an action for the address of a caller, and for IPv6 also for the networks around it; see
    /// [`Client::nets`]. Returns no counts for a caller whose address is unknown.
    ///
    /// `about` are words that are added to the subject, such as an account's id. They come before the address, so that
    /// [`clear`] and [`is_reached`] can find the counts of all addresses by them.
    pub fn by_address(action: Action, about: &str, client: Client) -> impl Iterator<Item = Self> {
        let words = if about.is_empty() { String::new() } else { format!("{about} ") };
        let nets = client.nets().into_iter();
        nets.map(move |net| Self { action, subject: format!("{words}{}", net.name), width: net.width })
    }
}

/// Slots that one call has taken together.
#[derive(Debug)]
pub struct Slots {
    keys: Vec<String>,
    hit: HitId,
}

/// Takes a slot of each count. If one has no free slot, gives back those that were taken and fails with
/// [`LimitError::Exceeded`]. If the database fails, slots that were taken before stay taken until they expire. Actions
/// whose limit is switched off are skipped.
pub async fn take(app: &App, wanted: impl IntoIterator<Item = Count>) -> Result<Slots, LimitError> {
    let (now, mut slots) = (app.clock.now(), Slots { keys: Vec::new(), hit: HitId::new() });
    for Count { action, subject, width } in wanted {
        let Some(rate) = app.config.limits.rate(action) else { continue };
        let slot_key = key(app, action, &subject);
        match app.store.rate_limits.take(&slot_key, slots.hit, rate.widened(width), now).await? {
            Attempt::Taken => slots.keys.push(slot_key),
            Attempt::Full { free_at } => {
                slots.give_back(app).await?;
                app.metrics.limit_reached(action.variable());
                return Err(LimitError::Exceeded { action, retry_after: whole_seconds_until(free_at, now) });
            }
        }
    }
    Ok(slots)
}

/// Returns the seconds from `now` to `time`, rounded up, at least 1.
fn whole_seconds_until(time: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(time.millis() - now.millis()).unwrap_or(0).div_ceil(1000).max(1)
}

impl Slots {
    /// Gives all of the slots back.
    pub async fn give_back(self, app: &App) -> Result<(), StoreError> {
        for key in self.keys {
            app.store.rate_limits.give_back(&key, self.hit).await?;
        }
        Ok(())
    }
}

/// Gives back all slots of an action for every subject that begins with `word`, which is one whole word.
pub async fn clear(app: &App, action: Action, word: &str) -> Result<(), StoreError> {
    app.store.rate_limits.clear(&key(app, action, word)).await
}

/// Returns whether the limit of an action is reached for any subject that begins with `word`, which is one whole word.
/// Takes no slot.
pub async fn is_reached(app: &App, action: Action, word: &str) -> Result<bool, StoreError> {
    let Some(rate) = app.config.limits.rate(action) else { return Ok(false) };
    app.store.rate_limits.is_full(&key(app, action, word), rate, app.clock.now()).await
}

/// Returns the key under which an action is counted for a subject.
///
/// Subjects contain phone numbers, names and addresses, so only keyed hashes are stored. Each word is hashed
/// separately: the key of `<account> <address>` is `LIMIT_SIGN_IN:<hash of account>:<hash of address>`. All addresses
/// that tried one account can therefore be found by `LIMIT_SIGN_IN:<hash of account>`, the start of their keys.
pub fn key(app: &App, action: Action, subject: &str) -> String {
    let digest = |word: &str| -> String {
        let tag = app.keys.limits[0].tag(&[action.variable().as_bytes(), word.as_bytes()]);
        hex::encode(&tag[..12])
    };
    let words: Vec<String> = subject.split(' ').map(digest).collect();
    format!("{}:{}", action.variable(), words.join(":"))
}
