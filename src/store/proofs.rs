//! What the links in mails bring about: each is one transaction over the account, its links and what is told of it.

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::{Client, ClientSession, Collection, Database, error::Result, options::ReturnDocument};
use serde::Deserialize;

use super::{
    StoreError,
    audits::{Audits, Trail},
    invitations,
    links::{self, LinkDoc},
    openings::Openings,
    outbox::{self, MailDoc},
    transaction::transact,
    tree::diff::Diff,
    users::{Account, Verification},
};
use crate::domain::{ids::UserId, password::PasswordHash, role::Role, time::Timestamp};

/// What became of a proof of an address.
#[derive(Debug)]
pub enum EmailProof {
    /// The account has it, proven.
    Done(Box<Account>),
    /// The link was used, or the account has changed since it was mailed.
    Gone,
    /// Another account has proven the address.
    Taken,
}

/// Who has an address, and whether it was proven.
#[derive(Deserialize)]
struct Holder {
    #[serde(rename = "_id")]
    id: UserId,
    #[serde(default)]
    verification: Verification,
}

/// The collections that these transactions touch.
#[derive(Clone)]
pub struct Proofs {
    client: Client,
    users: Collection<Document>,
    links: Collection<LinkDoc>,
    outbox: Collection<MailDoc>,
    openings: Openings,
    invitations: Collection<Document>,
    audits: Audits,
}

impl Proofs {
    pub(super) fn new(client: &Client, database: &Database) -> Self {
        Self {
            client: client.clone(),
            users: database.collection("users"),
            links: database.collection(links::NAME),
            outbox: database.collection(outbox::NAME),
            openings: Openings::new(database),
            invitations: database.collection(invitations::NAME),
            audits: Audits::new(database),
        }
    }

    /// Uses a link up and sets a password by it: all sessions end, and all other links and all codes of the account are void. False
    /// when the link was used meanwhile, or the account may not be reset by its address any more.
    pub async fn reset_password(
        &self,
        link: &LinkDoc,
        new: &PasswordHash,
        notice: &MailDoc,
        now: Timestamp,
    ) -> std::result::Result<bool, StoreError> {
        let (stores, link, new, notice) = (self.clone(), link.clone(), new.clone(), notice.clone());
        transact(&self.client, move |tx| {
            let (stores, link, new, notice) = (stores.clone(), link.clone(), new.clone(), notice.clone());
            async move {
                if !stores.use_up(&link, tx).await? {
                    return Ok(false);
                }
                let update = doc! {
                    "$set": { "password_hash": &new, "sessions": [], "last_reset_at": now, "updated_at": now },
                    "$unset": { "reset": "" },
                };
                let changed = stores.users.update_one(resettable(&link), update).session(&mut *tx).await?;
                if changed.matched_count == 0 {
                    return Ok(false);
                }
                stores.openings.void_in(tx, link.user).await?;
                stores.outbox.insert_one(&notice).session(&mut *tx).await?;
                Ok(true)
            }
            .boxed()
        })
        .await
    }

    /// Uses a link up and marks its address proven for the account, which takes it from an account that only claimed
    /// it. With `as_staff` a customer becomes staff, and the audits say so, if an open invitation names the address. `notice`
    /// goes out when the account had another address before.
    pub async fn prove_email(
        &self,
        link: &LinkDoc,
        as_staff: bool,
        notice: Option<&MailDoc>,
        trail: &Trail,
    ) -> std::result::Result<EmailProof, StoreError> {
        let (stores, link, notice, trail) = (self.clone(), link.clone(), notice.cloned(), trail.clone());
        transact(&self.client, move |tx| {
            let (stores, link, notice, trail) = (stores.clone(), link.clone(), notice.clone(), trail.clone());
            async move {
                let now = trail.now;
                if !stores.use_up(&link, tx).await? || !stores.is_unchanged(&link, tx).await? {
                    return Ok(EmailProof::Gone);
                }
                if !stores.take_address(&link, now, tx).await? {
                    return Ok(EmailProof::Taken);
                }
                let is_new = link.account_email.as_ref() != Some(&link.email);
                if is_new {
                    stores.openings.void_in(tx, link.user).await?;
                }
                if as_staff && stores.use_invitation(&link, now, tx).await? {
                    stores.make_staff(link.user, &trail, tx).await?;
                }
                if let Some(notice) = &notice {
                    stores.outbox.insert_one(notice).session(&mut *tx).await?;
                }
                let proven = doc! { "value": &link.email, "verified_at": now };
                let mut update =
                    doc! { "$set": { "email": &link.email, "verification.email": proven, "updated_at": now } };
                if is_new {
                    update.insert("$unset", doc! { "reset": "" });
                }
                let users = stores.users.clone_with_type::<Account>();
                let account = users.find_one_and_update(doc! { "_id": link.user }, update);
                let account = account.projection(Account::projection()).return_document(ReturnDocument::After);
                let account = account.session(&mut *tx).await?.map(Box::new);
                Ok(account.map_or(EmailProof::Gone, EmailProof::Done))
            }
            .boxed()
        })
        .await
    }

    async fn use_up(&self, link: &LinkDoc, tx: &mut ClientSession) -> Result<bool> {
        Ok(self.links.delete_one(doc! { "_id": link.id }).session(tx).await?.deleted_count == 1)
    }

    /// Whether the account is active and has the address that it had when the link was mailed.
    async fn is_unchanged(&self, link: &LinkDoc, tx: &mut ClientSession) -> Result<bool> {
        let then = link.account_email.as_ref().map_or(Bson::Null, Bson::from);
        let filter = doc! { "_id": link.user, "is_active": true, "email": then };
        Ok(self.users.find_one(filter).projection(doc! { "_id": 1 }).session(tx).await?.is_some())
    }

    /// Takes the address from an account that only claimed it, or had it once; false when an account has proven it and
    /// still has it.
    async fn take_address(&self, link: &LinkDoc, now: Timestamp, tx: &mut ClientSession) -> Result<bool> {
        let other = doc! { "_id": { "$ne": link.user }, "email": &link.email };
        let users = self.users.clone_with_type::<Holder>();
        let found = users.find_one(other).projection(doc! { "verification.email": 1 });
        if let Some(owner) = found.session(&mut *tx).await? {
            if owner.verification.proven_email() == Some(&link.email) {
                return Ok(false);
            }
            let update = doc! { "$unset": { "email": "" }, "$set": { "updated_at": now } };
            self.users.update_one(doc! { "_id": owner.id }, update).session(&mut *tx).await?;
            self.openings.void_in(tx, owner.id).await?;
        }
        // Who proved it once and went to another address gets no more resets by it.
        let former = doc! { "_id": { "$ne": link.user }, "verification.email.value": &link.email };
        self.users.update_many(former, doc! { "$unset": { "verification.email": "" } }).session(&mut *tx).await?;
        Ok(true)
    }

    async fn make_staff(&self, user: UserId, trail: &Trail, tx: &mut ClientSession) -> Result<()> {
        let role = |role: Role| doc! { "role": role.as_str() };
        let (then, now) = (role(Role::Customer), role(Role::Staff));
        let mut customer = then.clone();
        customer.insert("_id", user);
        let made = self.users.update_one(customer, doc! { "$set": now.clone() }).session(&mut *tx).await?;
        if made.matched_count == 0 {
            return Ok(());
        }
        let changes = Diff::between(&then, &now).described();
        self.audits.append_in(tx, trail.entry("users", "invitation_used", user).holding(now).describing(changes)).await
    }

    async fn use_invitation(&self, link: &LinkDoc, now: Timestamp, tx: &mut ClientSession) -> Result<bool> {
        let mut filter = invitations::open(now);
        filter.insert("email", &link.email);
        let used = doc! { "$set": { "used_at": now } };
        Ok(self.invitations.update_one(filter, used).session(tx).await?.modified_count == 1)
    }
}

/// The account of a link, if its password may be reset by the address that the link was mailed to: a proven one or,
/// while no number is proven, the one that the account claims.
fn resettable(link: &LinkDoc) -> Document {
    let proven = doc! { "verification.email.value": &link.email, "verification.email.verified_at": { "$ne": null } };
    let claimed = doc! {
        "email": &link.email,
        "verification.email.verified_at": null,
        "verification.phone.verified_at": null,
    };
    doc! { "_id": link.user, "is_active": true, "$or": [proven, claimed] }
}
