//! What the links in mails do. Each use of a link is one transaction over the account, its links, the mails and the
//! audits.

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::{Client, ClientSession, Collection, error::Result};

use super::{
    Account, USERS, Users,
    contacts::ClaimRight,
    invitations,
    links::{self, LinkDoc},
    resets::ResetContact,
};
use crate::{
    accounts::rules::password::PasswordHash,
    audits::{
        diff::Diff,
        store::{Audits, Trail},
    },
    db::{
        StoreError,
        schema::{Connection, StorePart},
        transaction::transact,
    },
    mail::kind::MailKind,
    values::{email::Email, ids::UserId, role::Role, time::Timestamp},
};

/// The result of proving an address by a link.
#[derive(Debug)]
pub enum EmailProof {
    /// The address is proven. This is the account after the change.
    Done(Box<Account>),
    /// The link was used already, or the account has another address than when the link was made, or is disabled.
    Gone,
    /// Another account has proven the address. The link is used up all the same.
    Taken,
    /// A contact of the account was proven in the meantime, so the caller must be signed in to the account.
    AccountRequired,
}

/// The person who uses a link that proves an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prover {
    /// A person who is signed in to the account.
    Owner,
    /// A person who is not signed in. They can read the mail, but the password may belong to somebody else.
    Unsigned,
}

/// The collections that these transactions read and write.
#[derive(Clone)]
pub struct Proofs {
    client: Client,
    users: Users,
    documents: Collection<Document>,
    links: Collection<LinkDoc>,
    invitations: Collection<Document>,
    audits: Audits,
}

impl StorePart for Proofs {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            users: Users::open(connection),
            documents: connection.collection(USERS),
            links: connection.collection(links::NAME),
            invitations: connection.collection(invitations::NAME),
            audits: Audits::open(connection),
        }
    }
}

impl Proofs {
    /// Uses a link up and sets a password by it ([`Users::reset_in`]). Returns `false` when the link was used already,
    /// or when its address may not reset the account any more.
    pub(in crate::accounts) async fn reset_password(
        &self,
        link: &LinkDoc,
        new: &PasswordHash,
        now: Timestamp,
    ) -> std::result::Result<bool, StoreError> {
        transact(&self.client, (self, link, new), move |tx, &(stores, link, new)| {
            async move {
                if !stores.use_up(link, tx).await? {
                    return Ok(false);
                }
                let active = doc! { "_id": link.user, "is_active": true };
                stores.users.reset_in(tx, active, ResetContact::Email(&link.email), new, now).await
            }
            .boxed()
        })
        .await
    }

    /// Uses a link up and marks its address as proven for the account. The address is taken away from an account that
    /// only claims it. If an open invitation names the address and the prover is the owner, a customer becomes staff,
    /// and the audits get an entry.
    pub(in crate::accounts) async fn prove_email(
        &self,
        link: &LinkDoc,
        prover: Prover,
        trail: &Trail,
    ) -> std::result::Result<EmailProof, StoreError> {
        transact(&self.client, (self, link, trail), move |tx, &(stores, link, trail)| {
            async move { stores.prove_email_in(tx, link, prover, trail).await }.boxed()
        })
        .await
    }

    async fn prove_email_in(
        &self,
        tx: &mut ClientSession,
        link: &LinkDoc,
        prover: Prover,
        trail: &Trail,
    ) -> Result<EmailProof> {
        let now = trail.now;
        let Some(before) = self.unchanged(link, tx).await? else { return Ok(EmailProof::Gone) };
        if prover == Prover::Unsigned && !before.contacts(now).may_prove_unsigned() {
            return Ok(EmailProof::AccountRequired);
        }
        if !self.use_up(link, tx).await? {
            return Ok(EmailProof::Gone);
        }
        if !self.users.take_email_in(tx, &link.email, link.user, ClaimRight::Proof, now).await? {
            return Ok(EmailProof::Taken);
        }
        if prover == Prover::Owner && self.use_invitation(link, now, tx).await? {
            self.make_staff(link.user, trail, tx).await?;
        }
        let is_new = before.email.as_ref() != Some(&link.email);
        if before.mail_address(now).is_some_and(|address| *address != link.email) {
            // The notice goes to the address that the account used for mails until now.
            self.users.tell_in(tx, &before, MailKind::EmailChanged, now).await?;
        }
        let account = doc! { "_id": link.user };
        let update = proof_of(link, prover, is_new, now);
        let proven = match is_new {
            true => self.users.update_and_void_in(tx, account, update).await?,
            false => self.users.change_in(tx, account, update).await?,
        };
        Ok(proven.map_or(EmailProof::Gone, |account| EmailProof::Done(Box::new(account))))
    }

    async fn use_up(&self, link: &LinkDoc, tx: &mut ClientSession) -> Result<bool> {
        Ok(self.links.delete_one(doc! { "_id": link.id }).session(tx).await?.deleted_count == 1)
    }

    /// Returns the account of a link, if it is active and still has the address that it had when the link was made.
    async fn unchanged(&self, link: &LinkDoc, tx: &mut ClientSession) -> Result<Option<Account>> {
        let then = link.account_email.as_ref().map_or(Bson::Null, Email::as_stored);
        self.users.account_in(tx, doc! { "_id": link.user, "is_active": true, "email": then }).await
    }

    async fn make_staff(&self, user: UserId, trail: &Trail, tx: &mut ClientSession) -> Result<()> {
        let role = |role: Role| doc! { "role": role.as_str() };
        let (then, now) = (role(Role::Customer), role(Role::Staff));
        let mut customer = then.clone();
        customer.insert("_id", user);
        let made = self.documents.update_one(customer, doc! { "$set": now.clone() }).session(&mut *tx).await?;
        if made.matched_count == 0 {
            return Ok(());
        }
        let changes = Diff::between(&then, &now).into_description();
        self.audits
            .append_in(tx, trail.entry("users", "invitation_used", user).with_document(now).with_changes(changes))
            .await
    }

    async fn use_invitation(&self, link: &LinkDoc, now: Timestamp, tx: &mut ClientSession) -> Result<bool> {
        let mut filter = invitations::open(now);
        filter.insert("email", &link.email);
        let used = doc! { "$set": { "used_at": now } };
        Ok(self.invitations.update_one(filter, used).session(tx).await?.modified_count == 1)
    }
}

/// Returns the update that marks the address of a link as proven. If the prover was not signed in, all sessions end,
/// and the account is contested until the next reset ([`Verification::contested`]).
///
/// [`Verification::contested`]: super::Verification::contested
fn proof_of(link: &LinkDoc, prover: Prover, is_new: bool, now: Timestamp) -> Document {
    let proven = doc! { "value": &link.email, "verified_at": now };
    let mut set = doc! { "email": &link.email, "verification.email": proven, "updated_at": now };
    let mut unset = Document::new();
    match prover {
        Prover::Owner => drop(unset.insert("verification.contested", "")),
        Prover::Unsigned => set.extend(doc! { "verification.contested": true, "sessions": [] }),
    }
    if is_new {
        unset.insert("reset", "");
    }
    let mut update = doc! { "$set": set };
    if !unset.is_empty() {
        update.insert("$unset", unset);
    }
    update
}
