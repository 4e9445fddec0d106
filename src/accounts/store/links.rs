//! The collection `verification_requests`: the links that were mailed. Each can be used once.

use std::time::Duration;

use bson::doc;
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::tokens::link::LinkHash,
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index, swept, unique},
    },
    values::{
        email::Email,
        ids::{LinkId, UserId},
        time::Timestamp,
    },
};

pub(super) const NAME: &str = "verification_requests";
/// The time for which an expired link is kept, so that its user can be told that it has expired.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The purpose of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "i32", try_from = "i32")]
pub enum LinkKind {
    /// Proves that its user receives mails at the address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
}

impl From<LinkKind> for i32 {
    fn from(kind: LinkKind) -> Self {
        match kind {
            LinkKind::VerifyEmail => 0,
            LinkKind::ResetPassword => 1,
        }
    }
}

impl TryFrom<i32> for LinkKind {
    type Error = &'static str;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::VerifyEmail),
            1 => Ok(Self::ResetPassword),
            _ => Err("no kind of link"),
        }
    }
}

/// The document of a link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: LinkId,
    /// Its purpose.
    #[serde(rename = "type")]
    pub kind: LinkKind,
    /// The account that it belongs to.
    pub user: UserId,
    /// The address that it was mailed to.
    pub email: Email,
    /// The address that the account had at that time. A link to prove an address is void once the account has another
    /// one.
    pub account_email: Option<Email>,
    /// The hash of its token.
    pub token_hash: LinkHash,
    /// The time of creation, which is just before the mail is sent.
    pub created_at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Timestamp,
}

/// The collection.
#[derive(Clone)]
pub struct Links {
    docs: Collection<LinkDoc>,
}

impl StorePart for Links {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: NAME,
            indexes: vec![
                swept(KEPT),
                unique("token_hash", doc! { "token_hash": 1 }),
                index("user", doc! { "user": 1 }),
            ],
            validator: doc! {},
        })
    }
}

impl Links {
    /// Stores a link that is about to be mailed.
    pub(in crate::accounts) async fn insert(&self, link: &LinkDoc) -> Result<(), StoreError> {
        self.docs.insert_one(link).await?;
        Ok(())
    }

    /// Returns the link of an account that has one of the hashes, even if it has expired.
    pub(in crate::accounts) async fn find(
        &self,
        user: UserId,
        kind: LinkKind,
        hashes: Vec<LinkHash>,
    ) -> Result<Option<LinkDoc>, StoreError> {
        let filter = doc! { "token_hash": { "$in": hashes }, "user": user, "type": i32::from(kind) };
        Ok(self.docs.find_one(filter).await?)
    }
}
