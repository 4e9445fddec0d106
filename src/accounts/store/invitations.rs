//! The collection `invitations`: the addresses whose owners may become staff.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use mongodb::{Client, Collection};
use serde::{Deserialize, Serialize};

use crate::{
    audits::{
        operation::AuditOperation,
        store::{Audits, Trail},
        subject::AuditSubject,
    },
    db::{
        StoreError,
        locks::{Lock, Locks},
        query::find_part,
        schema::{Connection, Layout, StorePart, index, swept},
        transaction::transact,
    },
    values::{
        email::Email,
        ids::{InvitationId, UserId},
        time::Timestamp,
    },
};

pub(super) const NAME: &str = "invitations";

/// The document of an invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: InvitationId,
    /// The address that is invited.
    pub email: Email,
    /// The admin who made the invitation.
    pub invited_by: UserId,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The time at which its owner used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

/// Returns the filter for invitations that nobody has used and that have not expired.
pub(in crate::accounts) fn open_invitations(now: Timestamp) -> Document {
    doc! { "used_at": null, "expires_at": { "$gt": now } }
}

/// The collection, and the other collections that its transactions write to.
#[derive(Clone)]
pub struct Invitations {
    client: Client,
    docs: Collection<InvitationDoc>,
    audits: Audits,
    locks: Locks,
}

impl InvitationDoc {
    /// Returns the fields for the audit entry, under the names that the API uses.
    fn audit_fields(&self) -> Document {
        doc! {
            "email": &self.email,
            "invited_by": self.invited_by,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
        }
    }
}

impl StorePart for Invitations {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            docs: connection.collection(NAME),
            audits: Audits::open(connection),
            locks: Locks::open(connection),
        }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: NAME,
            indexes: vec![
                swept(Duration::ZERO),
                index("email", doc! { "email": 1 }),
                index("unused", doc! { "used_at": 1, "_id": 1 }),
            ],
            validator: doc! {},
        })
    }
}

impl Invitations {
    /// Stores an invitation and its audit entry. It replaces older ones for the same address that nobody has used. Of
    /// two calls at the same time one waits for the other, so that only one invitation is left.
    pub(in crate::accounts) async fn insert(
        &self,
        invitation: &InvitationDoc,
        trail: &Trail,
    ) -> Result<(), StoreError> {
        transact(&self.client, (self, invitation, trail), move |tx, &(stores, invitation, trail)| {
            async move {
                stores.locks.touch_in(tx, Lock::Invitations).await?;
                let unused = doc! { "email": &invitation.email, "used_at": null };
                stores.docs.delete_many(unused).session(&mut *tx).await?;
                stores.docs.insert_one(invitation).session(&mut *tx).await?;
                let entry = trail
                    .entry(AuditSubject::Invitations, AuditOperation::Insert, invitation.id)
                    .with_document(invitation.audit_fields());
                stores.audits.append_in(tx, entry).await
            }
            .boxed()
        })
        .await
    }

    /// Returns up to `limit` open invitations, the oldest first, beginning after `after`, and the number of all open
    /// ones.
    pub(in crate::accounts) async fn page(
        &self,
        after: Option<InvitationId>,
        limit: i64,
        now: Timestamp,
    ) -> Result<(Vec<InvitationDoc>, u64), StoreError> {
        let mut filter = open_invitations(now);
        let total = self.docs.count_documents(filter.clone()).await?;
        if let Some(after) = after {
            filter.insert("_id", doc! { "$gt": after });
        }
        let found = self.docs.find(filter).sort(doc! { "_id": 1 }).limit(limit).await?;
        Ok((found.try_collect().await?, total))
    }

    /// Returns whether an open invitation names the address.
    pub(in crate::accounts) async fn is_open(&self, email: &Email, now: Timestamp) -> Result<bool, StoreError> {
        let mut filter = open_invitations(now);
        filter.insert("email", email);
        let found: Option<Document> = find_part(&self.docs, filter, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    /// Deletes an open invitation. Returns `false` when there is none with this id.
    pub(in crate::accounts) async fn withdraw(
        &self,
        invitation: InvitationId,
        trail: &Trail,
    ) -> Result<bool, StoreError> {
        transact(&self.client, (self, trail), move |tx, &(stores, trail)| {
            async move {
                let mut filter = open_invitations(trail.now);
                filter.insert("_id", invitation);
                let withdrawn = stores.docs.find_one_and_delete(filter).session(&mut *tx).await?;
                let Some(withdrawn) = withdrawn else { return Ok(false) };
                let entry = trail
                    .entry(AuditSubject::Invitations, AuditOperation::Delete, invitation)
                    .with_document(withdrawn.audit_fields());
                stores.audits.append_in(tx, entry).await.map(|()| true)
            }
            .boxed()
        })
        .await
    }
}
