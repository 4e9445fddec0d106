//! One type for each kind of id, so that the compiler refuses a product's id where a user's is expected.

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
            /// Creates a new id, which is unique across all instances of the server.
            #[allow(clippy::new_without_default, reason = "two calls never give the same id")]
            pub fn new() -> Self {
                Self(ObjectId::new())
            }

            /// Returns the 12 bytes of the id.
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

/// The error for a text that isn't 24 hexadecimal digits, or for bytes that aren't 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a 24-hex id")]
pub struct InvalidId;

id_types! {
    /// Id of an account.
    UserId,
    /// Id of a session, which is one browser or app that is signed in to an account.
    SessionId,
    /// Id of the postal address of an account.
    AddressId,
    /// Id of the cart of an account.
    CartId,
    /// Id of one state of a cart line. Each change of the line makes a new one. An update that was decided on an older
    /// state names the older id, so it no longer finds the line.
    LineRev,
    /// Id of a vehicle brand.
    BrandId,
    /// Id of a model of a brand.
    ModelId,
    /// Id of a category of parts for a model.
    CategoryId,
    /// Id of a product, which is a spare part.
    ProductId,
    /// Id of one code that was sent to a number for one purpose.
    ChallengeId,
    /// Id of one entry of the audits.
    AuditId,
    /// Id of a document of which the audits tell, whatever it is.
    DocumentId,
    /// Id of one slot that was taken from a limit.
    HitId,
    /// Id of one access token.
    TokenId,
    /// Id of a link in a mail.
    LinkId,
    /// Id of an invitation to become staff.
    InvitationId,
    /// Id of a mail in the outbox.
    MailId,
    /// Id of a process that does background work, or of one attempt to do what a request asks for.
    HolderId,
    /// Id of a request that may be sent again, under which its flow keeps what it makes.
    KeyedRequestId,
}

/// The account of a caller and the session that the call uses. Queries for the caller's own data take it as argument
/// and match both ids, so they find nothing once the session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRef {
    /// The caller's account.
    pub user: UserId,
    /// The session of the account.
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
