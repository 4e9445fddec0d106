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
        operation::AuditOperation,
        store::{Audits, Trail},
        subject::AuditSubject,
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
                if !stores.use_up_in(tx, link).await? {
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
        let Some(before) = self.unchanged_account_in(tx, link).await? else { return Ok(EmailProof::Gone) };
        if prover == Prover::Unsigned && !before.contacts(now).may_prove_unsigned() {
            return Ok(EmailProof::AccountRequired);
        }
        if !self.use_up_in(tx, link).await? {
            return Ok(EmailProof::Gone);
        }
        if !self.users.take_email_in(tx, &link.email, link.user, ClaimRight::Proof, now).await? {
            return Ok(EmailProof::Taken);
        }
        if prover == Prover::Owner && self.use_invitation_in(tx, link, now).await? {
            self.make_staff_in(tx, link.user, trail).await?;
        }
        if before.mail_address(now).is_some_and(|address| *address != link.email) {
            // The notice goes to the address that the account used for mails until now.
            self.users.queue_notice_in(tx, &before, MailKind::EmailChanged, now).await?;
        }
        let after = self.write_proof_in(tx, link, prover, &before, now).await?;
        Ok(after.map_or(EmailProof::Gone, |account| EmailProof::Done(Box::new(account))))
    }

    /// Marks the address of a link as proven, and returns the account after the change. If the account had another
    /// address before, its links and codes become void.
    async fn write_proof_in(
        &self,
        tx: &mut ClientSession,
        link: &LinkDoc,
        prover: Prover,
        before: &Account,
        now: Timestamp,
    ) -> Result<Option<Account>> {
        let filter = doc! { "_id": link.user };
        let is_other_email = before.email.as_ref() != Some(&link.email);
        let update = proof_update(link, prover, is_other_email, now);
        match is_other_email {
            true => self.users.update_and_void_in(tx, filter, update).await,
            false => self.users.change_in(tx, filter, update).await,
        }
    }

    /// Deletes a link. Returns `false` when it was used already.
    async fn use_up_in(&self, tx: &mut ClientSession, link: &LinkDoc) -> Result<bool> {
        Ok(self.links.delete_one(doc! { "_id": link.id }).session(tx).await?.deleted_count == 1)
    }

    /// Returns the account of a link, if it is active and still has the address that it had when the link was made.
    async fn unchanged_account_in(&self, tx: &mut ClientSession, link: &LinkDoc) -> Result<Option<Account>> {
        let email_then = link.account_email.as_ref().map_or(Bson::Null, Email::as_stored);
        self.users.account_in(tx, doc! { "_id": link.user, "is_active": true, "email": email_then }).await
    }

    /// Makes a customer staff. Does nothing if the account is staff's or an admin's already.
    async fn make_staff_in(&self, tx: &mut ClientSession, user: UserId, trail: &Trail) -> Result<()> {
        let (customer, staff) = (doc! { "role": Role::Customer.as_str() }, doc! { "role": Role::Staff.as_str() });
        let mut filter = customer.clone();
        filter.insert("_id", user);
        let updated = self.documents.update_one(filter, doc! { "$set": staff.clone() }).session(&mut *tx).await?;
        if updated.matched_count == 0 {
            return Ok(());
        }
        let changes = Diff::between(&customer, &staff).into_description();
        let entry = trail
            .entry(AuditSubject::Users, AuditOperation::InvitationUsed, user)
            .with_document(staff)
            .with_changes(changes);
        self.audits.append_in(tx, entry).await
    }

    /// Uses up an open invitation of the address of a link. Returns `false` when there is none.
    async fn use_invitation_in(&self, tx: &mut ClientSession, link: &LinkDoc, now: Timestamp) -> Result<bool> {
        let mut filter = invitations::open_invitations(now);
        filter.insert("email", &link.email);
        let mark_used = doc! { "$set": { "used_at": now } };
        Ok(self.invitations.update_one(filter, mark_used).session(tx).await?.modified_count == 1)
    }
}

/// Returns the update that marks the address of a link as proven. If the prover was not signed in, all sessions end,
/// and the account is contested until the next reset ([`Verification::contested`]).
///
/// [`Verification::contested`]: super::Verification::contested
fn proof_update(link: &LinkDoc, prover: Prover, is_other_email: bool, now: Timestamp) -> Document {
    let proven = doc! { "value": &link.email, "verified_at": now };
    let mut set = doc! { "email": &link.email, "verification.email": proven, "updated_at": now };
    let mut unset = Document::new();
    match prover {
        Prover::Owner => drop(unset.insert("verification.contested", "")),
        Prover::Unsigned => set.extend(doc! { "verification.contested": true, "sessions": [] }),
    }
    if is_other_email {
        unset.insert("reset", "");
    }
    let mut update = doc! { "$set": set };
    if !unset.is_empty() {
        update.insert("$unset", unset);
    }
    update
}
