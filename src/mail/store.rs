//! The collection `outbox`: mails that are to be sent. It holds whom and what about, never a text or a token.

use std::time::Duration;

use bson::doc;
use mongodb::{ClientSession, Collection, options::ReturnDocument};
use serde::{Deserialize, Serialize};

use super::kind::MailKind;
use crate::{
    db::{
        StoreError,
        schema::{Connection, Layout, StorePart, index, swept},
    },
    values::{
        email::Email,
        ids::{MailId, UserId},
        time::Timestamp,
    },
};

const NAME: &str = "outbox";
/// For so long sending is tried.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A mail that is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: MailId,
    /// The account it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What it is about.
    pub kind: MailKind,
    /// Who receives it.
    pub to: Email,
    /// When it may be sent; while somebody sends it, when somebody else may.
    pub due_at: Timestamp,
    /// How often sending was begun.
    pub attempts: u32,
    /// When it was put here.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}

impl MailDoc {
    /// A mail that is due now.
    pub fn new(user: Option<UserId>, kind: MailKind, to: Email, now: Timestamp) -> Self {
        let (due_at, expires_at) = (now, now.after(LIFETIME));
        Self { id: MailId::new(), user, kind, to, due_at, attempts: 0, created_at: now, expires_at }
    }
}

/// The collection.
#[derive(Clone)]
pub struct Outbox {
    docs: Collection<MailDoc>,
}

impl StorePart for Outbox {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: NAME,
            indexes: vec![
                swept(Duration::ZERO),
                index("due_at", doc! { "due_at": 1 }),
                index("user", doc! { "user": 1 }),
            ],
            validator: doc! {},
        })
    }
}

impl Outbox {
    /// Puts a mail in.
    pub async fn insert(&self, mail: &MailDoc) -> Result<(), StoreError> {
        self.docs.insert_one(mail).await?;
        Ok(())
    }

    /// Puts a mail in, in the transaction of what it tells of.
    pub(crate) async fn insert_in(&self, tx: &mut ClientSession, mail: &MailDoc) -> Result<(), mongodb::error::Error> {
        self.docs.insert_one(mail).session(tx).await.map(drop)
    }

    /// Takes out the mails with links that wait to be sent to an account.
    pub(crate) async fn void_links_in(
        &self,
        tx: &mut ClientSession,
        user: UserId,
    ) -> Result<(), mongodb::error::Error> {
        let links = doc! { "user": user, "kind": { "$in": ["verify_email", "reset_password"] } };
        self.docs.delete_many(links).session(tx).await.map(drop)
    }

    /// Takes the mail that is due for longest and keeps others away from it until `deadline`: when the taker has
    /// crashed by then, it is sent once more.
    pub async fn claim(&self, now: Timestamp, deadline: Timestamp) -> Result<Option<MailDoc>, StoreError> {
        let due = doc! { "due_at": { "$lte": now }, "expires_at": { "$gt": now } };
        let update = doc! { "$set": { "due_at": deadline }, "$inc": { "attempts": 1 } };
        let claimed = self.docs.find_one_and_update(due, update).sort(doc! { "due_at": 1 });
        Ok(claimed.return_document(ReturnDocument::After).await?)
    }

    /// How many wait.
    pub async fn waiting(&self) -> Result<u64, StoreError> {
        crate::db::query::count_all(&self.docs).await
    }

    /// Lets a mail be sent again at `due_at`, unless somebody else has taken it since.
    pub async fn postpone(&self, mail: &MailDoc, due_at: Timestamp) -> Result<(), StoreError> {
        let filter = doc! { "_id": mail.id, "attempts": mail.attempts };
        self.docs.update_one(filter, doc! { "$set": { "due_at": due_at } }).await?;
        Ok(())
    }

    /// Takes a mail out: it was sent, or is not wanted any more.
    pub async fn remove(&self, mail: MailId) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": mail }).await?;
        Ok(())
    }
}
