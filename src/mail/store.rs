//! The collection `outbox`: mails that are to be sent. An entry contains the recipient and the kind of the mail, but
//! neither its text nor a token.

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
/// Time for which sending a mail is tried. After it, the mail is given up.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A mail that is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailDoc {
    /// Id of the mail.
    #[serde(rename = "_id")]
    pub id: MailId,
    /// The account that the mail is about; `None` for an invitation, which goes to an address only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Kind of the mail, which decides its text.
    pub kind: MailKind,
    /// Address of the recipient.
    pub to: Email,
    /// Time from which the mail may be sent. While a process sends it, this is the time from which another process may.
    pub due_at: Timestamp,
    /// How often sending was begun.
    pub attempts: u32,
    /// Time at which the mail was queued.
    pub created_at: Timestamp,
    /// Time at which the mail is given up.
    pub expires_at: Timestamp,
}

impl MailDoc {
    /// Creates a mail that is due now. It is not queued yet.
    pub fn new(user: Option<UserId>, kind: MailKind, to: Email, now: Timestamp) -> Self {
        let (due_at, expires_at) = (now, now.after(LIFETIME));
        Self { id: MailId::new(), user, kind, to, due_at, attempts: 0, created_at: now, expires_at }
    }
}

/// The collection `outbox`.
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
    /// Queues a mail.
    pub(super) async fn insert(&self, mail: &MailDoc) -> Result<(), StoreError> {
        self.docs.insert_one(mail).await?;
        Ok(())
    }

    /// Queues a mail in the transaction that makes the change it tells of. It is sent only if the transaction commits.
    pub(crate) async fn insert_in(&self, tx: &mut ClientSession, mail: &MailDoc) -> Result<(), mongodb::error::Error> {
        self.docs.insert_one(mail).session(tx).await.map(drop)
    }

    /// Removes the queued mails whose links would verify an address of an account or reset its password.
    pub(crate) async fn void_links_in(
        &self,
        tx: &mut ClientSession,
        user: UserId,
    ) -> Result<(), mongodb::error::Error> {
        let links = doc! { "user": user, "kind": { "$in": ["verify_email", "reset_password"] } };
        self.docs.delete_many(links).session(tx).await.map(drop)
    }

    /// Takes the mail that has been due for longest; `None` if none is due. Until `deadline`, no other call takes it.
    /// After that it is due again, so a mail whose sender crashed is still sent, but may be sent twice.
    pub(super) async fn claim(&self, now: Timestamp, deadline: Timestamp) -> Result<Option<MailDoc>, StoreError> {
        let due = doc! { "due_at": { "$lte": now }, "expires_at": { "$gt": now } };
        let update = doc! { "$set": { "due_at": deadline }, "$inc": { "attempts": 1 } };
        let action = self.docs.find_one_and_update(due, update).sort(doc! { "due_at": 1 });
        Ok(action.return_document(ReturnDocument::After).await?)
    }

    /// Counts the mails in the outbox, including those that are being sent now.
    pub(super) async fn count(&self) -> Result<u64, StoreError> {
        crate::db::query::count_all(&self.docs).await
    }

    /// Makes a mail due again at `due_at`. Does nothing if another process has taken the mail since.
    pub(super) async fn postpone(&self, mail: &MailDoc, due_at: Timestamp) -> Result<(), StoreError> {
        let filter = doc! { "_id": mail.id, "attempts": mail.attempts };
        self.docs.update_one(filter, doc! { "$set": { "due_at": due_at } }).await?;
        Ok(())
    }

    /// Removes a mail that was sent or is not wanted any more. Removing it twice is no error.
    pub(super) async fn remove(&self, mail: MailId) -> Result<(), StoreError> {
        self.docs.delete_one(doc! { "_id": mail }).await?;
        Ok(())
    }
}
