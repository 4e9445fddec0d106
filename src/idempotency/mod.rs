//! Requests that carry an `Idempotency-Key`. A caller who got no answer sends such a request again, and it is not done
//! twice.
//!
//! Keys belong to an account. The first request with a key gets a `Turn`: it does the work, keeps what it makes under
//! `Turn::request`, and says how that ended:
//!
//! | What happened | What the flow calls | What a repeat gets |
//! |---|---|---|
//! | it succeeded | `Turn::finish` | `Begun::Done`: the flow shows the same thing again |
//! | it was refused, and nothing was written | `Turn::forget` | a turn, as if the key were new |
//! | it failed, and something may have been written | `Turn::release` | a turn of the same request, which goes on |
//! | the process was killed | nothing | `KeyError::Running` for a minute, then a turn as above |
//!
//! Two turns of one request may overlap, when the first takes longer than a minute. So a flow makes its steps under the
//! id of the request in a way in which none can be made twice.

pub(crate) mod store;

use std::time::Duration;

pub use self::store::Turn;
use self::store::{Claim, NewKey};
use crate::{
    app::App,
    db::StoreError,
    values::{
        ids::{KeyedRequestId, UserId},
        invalid::InvalidField,
        keys::TAG_BYTES,
    },
};

/// How long a key is kept.
pub const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a repeat waits for a request that has not ended. After this time its process counts as killed.
const TURN: Duration = Duration::from_secs(60);
/// How many characters a key has.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

/// The name that a caller gives to a request, to be able to send it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header `Idempotency-Key` of a call that needs one.
    pub fn required(header: Option<&str>) -> Result<Self, InvalidField> {
        let fault = |text: &str| InvalidField { field: "Idempotency-Key".into(), text: text.to_owned() };
        let key = header.filter(|key| !key.is_empty()).ok_or_else(|| fault("Idempotency-Key is required"))?;
        let is_plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_plain || !LENGTH.contains(&key.len()) {
            return Err(fault("Idempotency-Key must be 8 to 64 letters, digits, - or _"));
        }
        Ok(Self(key.to_owned()))
    }
}

/// A request that may have been sent before.
#[derive(Debug)]
pub struct KeyedRequest {
    /// The account of the caller.
    pub account: UserId,
    pub key: IdempotencyKey,
    /// Name of the call, such as `changeProducts`.
    pub call: &'static str,
    /// Everything else by which two requests differ.
    pub content: String,
}

/// The state of a request that has just arrived.
#[derive(Debug)]
pub enum Begun {
    /// The caller of [`begin`] does the work now.
    Turn(Turn),
    /// It was done before.
    Done(KeyedRequestId),
}

/// Why a request is not done.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Another request of the account had the key.
    #[error("idempotency key was used for another request")]
    Reused,
    /// The first request with the key has not ended.
    #[error("the first request with this key is still running")]
    Running,
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks up whether a request was sent before, and gets the turn to do its work if not.
pub async fn begin(app: &App, request: &KeyedRequest) -> Result<Begun, KeyError> {
    let now = app.clock.now();
    let fingerprints = fingerprints(app, request);
    let new = NewKey {
        account: request.account,
        key: &request.key.0,
        fingerprint: &fingerprints[0],
        running_until: now.after(TURN),
        expires_at: now.after(LIFETIME),
    };
    match app.store.idempotency_keys.claim(&new, &fingerprints, now).await? {
        Claim::Taken(turn) => Ok(Begun::Turn(turn)),
        Claim::Done(request) => Ok(Begun::Done(request)),
        Claim::Running => Err(KeyError::Running),
        Claim::Foreign => Err(KeyError::Reused),
    }
}

impl Turn {
    /// Records that the request succeeded, so that repeats are shown the same.
    pub async fn finish(&self, app: &App) -> Result<(), StoreError> {
        app.store.idempotency_keys.finish(self).await
    }

    /// Forgets the key, because the request was refused and nothing was written.
    pub async fn forget(&self, app: &App) {
        log_failure(app.store.idempotency_keys.forget(self).await);
    }

    /// Lets the next repeat go on at once, because the request has failed.
    pub async fn release(&self, app: &App) {
        log_failure(app.store.idempotency_keys.release(self, app.clock.now()).await);
    }
}

/// Logs that a turn could not be given back. It then ends by itself after a minute, and the caller is told of the first
/// failure in any case.
fn log_failure(result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "a request can be repeated in a minute only");
    }
}

/// Returns the fingerprint of a request under each key, the current key first. They don't show what was sent.
fn fingerprints(app: &App, request: &KeyedRequest) -> Vec<[u8; TAG_BYTES]> {
    let parts = [request.call.as_bytes(), request.content.as_bytes()];
    app.keys.idempotency.iter().map(|key| key.tag(&parts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_8_to_64_plain_characters() {
        for good in ["12345678", "a_B-c_D-1", &"k".repeat(64)] {
            assert!(IdempotencyKey::required(Some(good)).is_ok(), "{good}");
        }
        for bad in ["1234567", "with space", "ключ-ключ", "a.b.c.d.e", &"k".repeat(65), "\"quoted-key\""] {
            let fault = IdempotencyKey::required(Some(bad)).expect_err(bad);
            assert!(fault.text.starts_with("Idempotency-Key must be"), "{bad}");
        }
        for none in [None, Some("")] {
            let fault = IdempotencyKey::required(none).expect_err("no key");
            assert_eq!(fault.text, "Idempotency-Key is required");
        }
    }
}
