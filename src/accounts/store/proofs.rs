//! What the links in mails bring about: each is one transaction over the account, its links and what is told of it.

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::{Client, ClientSession, Collection, error::Result};

use super::{
    Account, USERS, Users,
    contacts::Right,
    invitations,
    links::{self, LinkDoc},
    resets::Through,
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

/// What became of a proof of an address.
#[derive(Debug)]
pub enum EmailProof {
    /// The account has it, proven.
    Done(Box<Account>),
    /// The link was used, or the account has changed since it was mailed.
    Gone,
    /// Another account has proven the address.
    Taken,
    /// Something of the account was proven meanwhile: whoever opens the link must be signed in to it.
    AccountRequired,
}

/// Who opens a link that proves an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prover {
    /// Somebody who is signed in to the account.
    Owner,
    /// Somebody who isn't signed in; they read the mail, but the password may be somebody else's.
    Unsigned,
}

/// The collections that these transactions touch.
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
    /// Uses a link up and sets a password by it ([`Users::reset_in`]). False when the link was used meanwhile, or the
    /// account may not be reset by its address any more.
    pub(in crate::accounts) async fn reset_password(
        &self,
        link: &LinkDoc,
        new: &PasswordHash,
        now: Timestamp,
    ) -> std::result::Result<bool, StoreError> {
        let (stores, link, new) = (self.clone(), link.clone(), new.clone());
        transact(&self.client, move |tx| {
            let (stores, link, new) = (stores.clone(), link.clone(), new.clone());
            async move {
                if !stores.use_up(&link, tx).await? {
                    return Ok(false);
                }
                let active = doc! { "_id": link.user, "is_active": true };
                stores.users.reset_in(tx, active, Through::Email(&link.email), &new, now).await
            }
            .boxed()
        })
        .await
    }

    /// Uses a link up and marks its address proven for the account, which takes it from an account that only claimed
    /// it. An owner who was invited becomes staff, and the audits say so.
    pub(in crate::accounts) async fn prove_email(
        &self,
        link: &LinkDoc,
        prover: Prover,
        trail: &Trail,
    ) -> std::result::Result<EmailProof, StoreError> {
        let (stores, link, trail) = (self.clone(), link.clone(), trail.clone());
        transact(&self.client, move |tx| {
            let (stores, link, trail) = (stores.clone(), link.clone(), trail.clone());
            async move { stores.prove_email_in(tx, &link, prover, &trail).await }.boxed()
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
        if !self.users.take_email_in(tx, &link.email, link.user, Right::Proof, now).await? {
            return Ok(EmailProof::Taken);
        }
        if prover == Prover::Owner && self.use_invitation(link, now, tx).await? {
            self.make_staff(link.user, trail, tx).await?;
        }
        let is_new = before.email.as_ref() != Some(&link.email);
        if before.mail_address(now).is_some_and(|address| *address != link.email) {
            // To the address that mails have gone to until now.
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

    /// The account, if it is active and has the address that it had when the link was mailed.
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

/// Builds the update that marks the address of a link as proven. Where nobody was signed in, the sessions end, and the
/// password counts as somebody else's until the next reset.
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
