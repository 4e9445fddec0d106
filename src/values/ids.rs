//! One type for each kind of id, so that a product's id can't be passed for a user's.

use std::fmt;

use bson::oid::ObjectId;
use serde::{Deserialize, Serialize};

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(ObjectId);

        impl $name {
            /// A fresh id, unique over all instances.
            #[allow(clippy::new_without_default, reason = "two calls never give the same id")]
            pub fn new() -> Self {
                Self(ObjectId::new())
            }

            /// The 12 bytes of the id.
            pub fn bytes(self) -> [u8; 12] {
                self.0.bytes()
            }
        }

        impl From<[u8; 12]> for $name {
            fn from(bytes: [u8; 12]) -> Self {
                Self(ObjectId::from_bytes(bytes))
            }
        }

        impl TryFrom<Vec<u8>> for $name {
            type Error = InvalidId;

            fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidId> {
                <[u8; 12]>::try_from(bytes).map(Self::from).map_err(|_| InvalidId)
            }
        }

        impl From<$name> for [u8; 12] {
            fn from(id: $name) -> Self {
                id.bytes()
            }
        }

        impl From<$name> for bson::Bson {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                ObjectId::parse_str(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}

/// The text is no 24-hex id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a 24-hex id")]
pub struct InvalidId;

id_types! {
    /// An account.
    UserId,
    /// A signed-in browser or app, embedded in its account.
    SessionId,
    /// The postal address of an account.
    AddressId,
    /// The cart of an account.
    CartId,
    /// One state of a cart line: a new one at each change, so that an adjustment meant for an older state misses.
    LineRev,
    /// A vehicle brand.
    BrandId,
    /// A model of a brand.
    ModelId,
    /// A category of parts for a model.
    CategoryId,
    /// A spare part.
    ProductId,
    /// One code that was sent to a number for one purpose.
    ChallengeId,
    /// One entry of the audits.
    AuditId,
    /// One counted act.
    HitId,
    /// One issued access token.
    TokenId,
    /// A link in a mail.
    LinkId,
    /// An invitation to become staff.
    InvitationId,
    /// A mail that is to be sent.
    MailId,
    /// A process that works in the background.
    HolderId,
}

/// Who calls and with which session; what a finder of personal data can't be called without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRef {
    /// The account.
    pub user: UserId,
    /// Its session.
    pub session: SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_24_hex_digits_are_an_id() {
        for bad in ["", "abc", "65f0c0ffee", "zzzzzzzzzzzzzzzzzzzzzzzz", "65f0c0ffee65f0c0ffee65f0c"] {
            assert_eq!(bad.parse::<ProductId>(), Err(InvalidId), "{bad}");
        }
        let id = ProductId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
