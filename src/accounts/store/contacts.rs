//! Contacts of accounts: whose they are, and how they change hands. Proof beats claim (`domain/contacts.rs`).

use bson::{Document, doc};
use mongodb::{
    ClientSession,
    error::Result,
    options::{ReturnDocument, UpdateModifications},
};

use super::{Account, Users};
use crate::{
    accounts::rules::{
        contacts::{Contact, Contacts, Standing},
        password::OwnerDetails,
    },
    db::StoreError,
    mail::{kind::MailKind, store::MailDoc},
    values::{email::Email, ids::UserId, phone::E164, time::Timestamp},
};

impl Account {
    /// The contacts, as far as they decide who may open the account.
    pub fn contacts(&self, now: Timestamp) -> Contacts {
        let standing = |is_proven: bool, is_there: bool| match (is_proven, is_there) {
            (true, _) => Standing::Proven,
            (false, true) => Standing::Claimed,
            (false, false) => Standing::None,
        };
        Contacts {
            number: standing(self.proven_number(now).is_some(), self.phone_number.is_some()),
            email: standing(self.proven_email(now).is_some(), self.email.is_some()),
            role: self.role,
            contested: self.verification.contested,
        }
    }

    /// What others would try first as its password.
    pub fn owner_details(&self) -> OwnerDetails {
        OwnerDetails::new(&self.username, self.phone_number.as_ref(), self.email.as_ref())
    }

    /// The number, if it was proven.
    pub fn proven_number(&self, now: Timestamp) -> Option<&E164> {
        let proven = self.verification.phone.as_ref().and_then(|phone| phone.proven(now));
        proven.filter(|number| self.phone_number.as_ref() == Some(number))
    }

    /// The address that was proven. It may be another one than the account claims now.
    pub fn proven_email(&self, now: Timestamp) -> Option<&Email> {
        self.verification.email.as_ref().and_then(|email| email.proven(now))
    }

    /// Whether this very address was proven.
    pub fn has_proven(&self, email: &Email, now: Timestamp) -> bool {
        self.proven_email(now) == Some(email)
    }

    /// Whether others have to do without an address that the account has. One that was never proven reserves nothing
    /// beside a proven contact.
    pub fn reserves(&self, email: &Email, now: Timestamp) -> bool {
        self.has_proven(email, now) || !self.contacts(now).any_proven()
    }

    /// Where the owner can be told of something: the proven address, before one that is only claimed.
    pub fn mail_address(&self, now: Timestamp) -> Option<&Email> {
        self.proven_email(now).or(self.email.as_ref())
    }

    /// Where a link to reset the password may go.
    pub fn reset_address(&self, now: Timestamp) -> Option<&Email> {
        let may = self.contacts(now).may_reset(Contact::Email);
        self.mail_address(now).filter(|_| may)
    }
}

/// Matches the account whose proof of an address counts.
pub(crate) fn has_proven(email: &Email, now: Timestamp) -> Document {
    doc! {
        "verification.email.value": email.as_stored(),
        "verification.email.verified_at": { "$ne": null },
        "$or": [{ "verification.email.until": null }, { "verification.email.until": { "$gt": now } }],
    }
}

/// Whether the new holder of an address claims it or has proven it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Its owner typed it.
    Claim,
    /// Its owner opened a link that was mailed to it.
    Proof,
}

impl Users {
    /// Takes a number from the account that only claims it: that one loses its open links, codes and resets, and its owner
    /// is told. False when the account has proven the number, and nothing was changed.
    pub(in crate::accounts) async fn take_number_in(
        &self,
        tx: &mut ClientSession,
        number: &E164,
        taker: UserId,
        now: Timestamp,
    ) -> Result<bool> {
        let others = doc! { "phone_number": number, "_id": { "$ne": taker } };
        let Some(holder) = self.account_in(tx, others).await? else { return Ok(true) };
        if holder.proven_number(now) == Some(number) {
            return Ok(false);
        }
        let loss = doc! {
            "$unset": { "phone_number": "", "profile.phone": "", "verification.phone": "", "reset": "" },
            "$set": { "updated_at": now },
        };
        if let Some(left) = self.lose_in(tx, holder.id, loss).await? {
            self.tell_in(tx, &left, MailKind::NumberLost, now).await?;
        }
        Ok(true)
    }

    /// Takes an address from an account with a weaker standing and, once the taker has proven it, from accounts that proved
    /// it earlier. They lose what [`Users::take_number_in`] says, and are told where an address is left. False when another
    /// account keeps it; then nothing was changed.
    pub(in crate::accounts) async fn take_email_in(
        &self,
        tx: &mut ClientSession,
        email: &Email,
        taker: UserId,
        right: Right,
        now: Timestamp,
    ) -> Result<bool> {
        if right == Right::Claim {
            let mut proven = has_proven(email, now);
            proven.insert("_id", doc! { "$ne": taker });
            if self.account_in(tx, proven).await?.is_some() {
                return Ok(false);
            }
        }
        let others = doc! { "email": email.as_stored(), "_id": { "$ne": taker } };
        if let Some(holder) = self.account_in(tx, others).await? {
            let may_keep = match right {
                Right::Claim => holder.reserves(email, now),
                Right::Proof => holder.has_proven(email, now),
            };
            if may_keep {
                return Ok(false);
            }
            let loss = doc! { "$unset": { "email": "", "reset": "" }, "$set": { "updated_at": now } };
            if let Some(left) = self.lose_in(tx, holder.id, loss).await? {
                self.tell_in(tx, &left, MailKind::EmailLost, now).await?;
            }
        }
        if right == Right::Proof {
            self.forget_former_in(tx, email, taker, now).await?;
        }
        Ok(true)
    }

    /// Removes the proof from accounts that proved an address earlier. They are told at that very address: what they claim
    /// now may have been set by somebody else.
    async fn forget_former_in(
        &self,
        tx: &mut ClientSession,
        email: &Email,
        taker: UserId,
        now: Timestamp,
    ) -> Result<()> {
        let former = doc! { "verification.email.value": email.as_stored(), "_id": { "$ne": taker } };
        while let Some(holder) = self.account_in(tx, former.clone()).await? {
            let loss = doc! { "$unset": { "verification.email": "", "reset": "" }, "$set": { "updated_at": now } };
            self.lose_in(tx, holder.id, loss).await?;
            if holder.has_proven(email, now) {
                self.tell_in(tx, &holder, MailKind::EmailLost, now).await?;
            }
        }
        Ok(())
    }

    async fn lose_in(&self, tx: &mut ClientSession, loser: UserId, loss: Document) -> Result<Option<Account>> {
        self.update_and_void_in(tx, doc! { "_id": loser }, loss).await
    }

    /// Forgets addresses that were removed so long ago that they count for nothing any more.
    pub(in crate::accounts) async fn forget_removed_emails(
        &self,
        now: Timestamp,
    ) -> std::result::Result<(), StoreError> {
        let expired = doc! { "verification.email.until": { "$lte": now } };
        self.docs.update_many(expired, doc! { "$unset": { "verification.email": "" } }).await?;
        Ok(())
    }

    /// Queues a mail about an account to its owner, if there is an address.
    pub(in crate::accounts) async fn tell_in(
        &self,
        tx: &mut ClientSession,
        account: &Account,
        kind: MailKind,
        now: Timestamp,
    ) -> Result<()> {
        let Some(to) = account.mail_address(now) else { return Ok(()) };
        let mail = MailDoc::new(Some(account.id), kind, to.clone(), now);
        self.outbox.insert_in(tx, &mail).await
    }

    /// One account as the transaction sees it.
    pub(in crate::accounts) async fn account_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
    ) -> Result<Option<Account>> {
        let accounts = self.docs.clone_with_type::<Account>();
        accounts.find_one(filter).projection(Account::projection()).session(tx).await
    }

    /// Changes one account in a transaction and returns it as it is then.
    pub(in crate::accounts) async fn change_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> Result<Option<Account>> {
        let accounts = self.docs.clone_with_type::<Account>();
        let changed = accounts.find_one_and_update(filter, update).projection(Account::projection());
        changed.return_document(ReturnDocument::After).session(tx).await
    }
}
