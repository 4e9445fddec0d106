//! The contacts of accounts: which account has one, and how one goes to another account. Proof beats claim
//! (`rules/contacts.rs`).

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
    /// Returns what decides which contact may reset the password.
    pub fn contacts(&self, now: Timestamp) -> Contacts {
        let standing = |is_proven: bool, is_there: bool| match is_proven {
            true => Standing::Proven,
            false if is_there => Standing::Claimed,
            false => Standing::None,
        };
        Contacts {
            number: standing(self.proven_number(now).is_some(), self.phone_number.is_some()),
            email: standing(self.proven_email(now).is_some(), self.email.is_some()),
            role: self.role,
            contested: self.verification.contested,
        }
    }

    /// Returns the words that somebody who knows the owner would try first as the password.
    pub fn owner_details(&self) -> OwnerDetails {
        OwnerDetails::new(&self.username, self.phone_number.as_ref(), self.email.as_ref())
    }

    /// Returns the current number of the account if it is proven.
    pub fn proven_number(&self, now: Timestamp) -> Option<&E164> {
        let proven_number = self.verification.phone.as_ref().and_then(|phone| phone.proven(now));
        proven_number.filter(|number| self.phone_number.as_ref() == Some(number))
    }

    /// Returns the address that is proven. The account may claim another one now, or none.
    pub fn proven_email(&self, now: Timestamp) -> Option<&Email> {
        self.verification.email.as_ref().and_then(|email| email.proven(now))
    }

    /// Returns whether the account has proven this address.
    pub fn has_proven(&self, email: &Email, now: Timestamp) -> bool {
        self.proven_email(now) == Some(email)
    }

    /// Returns whether other accounts must not claim an address of this account. The account keeps an address that it
    /// has proven. It also keeps an unproven address, but only as long as no other contact of it is proven.
    pub fn reserves(&self, email: &Email, now: Timestamp) -> bool {
        self.has_proven(email, now) || !self.contacts(now).any_proven()
    }

    /// Returns the address for notices to the owner: the proven one or, without one, the claimed one.
    pub fn mail_address(&self, now: Timestamp) -> Option<&Email> {
        self.proven_email(now).or(self.email.as_ref())
    }

    /// Returns the address to which a link to reset the password may go.
    pub fn reset_address(&self, now: Timestamp) -> Option<&Email> {
        if self.contacts(now).may_reset(Contact::Email) { self.mail_address(now) } else { None }
    }
}

/// Returns the filter for the account that has proven an address. Proofs of removed addresses count until their time is
/// over.
pub(in crate::accounts) fn proven_email_filter(email: &Email, now: Timestamp) -> Document {
    doc! {
        "verification.email.value": email.as_stored(),
        "verification.email.verified_at": { "$ne": null },
        "$or": [{ "verification.email.until": null }, { "verification.email.until": { "$gt": now } }],
    }
}

/// The right by which an account takes an address from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClaimRight {
    /// Its owner typed it.
    Claim,
    /// Its owner opened a link that was mailed to it.
    Proof,
}

impl Users {
    /// Takes a number away from the account that claims it, for an account (`taker`) that has proven it. The open
    /// links, codes and resets of the other account become void. A mail tells its owner, if it has an address.
    ///
    /// Returns `true` if the number is free now or was free before. Returns `false`, and changes nothing, if the other
    /// account has proven the number too.
    pub(in crate::accounts) async fn take_number_in(
        &self,
        tx: &mut ClientSession,
        number: &E164,
        taker: UserId,
        now: Timestamp,
    ) -> Result<bool> {
        let claimants = doc! { "phone_number": number, "_id": { "$ne": taker } };
        let Some(holder) = self.account_in(tx, claimants).await? else { return Ok(true) };
        if holder.proven_number(now) == Some(number) {
            return Ok(false);
        }
        let removal = doc! {
            "$unset": { "phone_number": "", "profile.phone": "", "verification.phone": "", "reset": "" },
            "$set": { "updated_at": now },
        };
        if let Some(loser) = self.update_and_void_in(tx, doc! { "_id": holder.id }, removal).await? {
            self.queue_notice_in(tx, &loser, MailKind::NumberLost, now).await?;
        }
        Ok(true)
    }

    /// Takes an address away from other accounts, for an account (`taker`) that claims it or has proven it:
    ///
    /// | the other account | taker claims | taker has proven |
    /// |---|---|---|
    /// | has the address and has proven it | keeps it | keeps it |
    /// | has proven the address, but has another one or none now | keeps its proof | loses its proof |
    /// | has the address; none of its contacts is proven | keeps it | loses it |
    /// | has the address, unproven; another contact is proven | loses it | loses it |
    ///
    /// The open links, codes and resets of an account that loses the address or the proof become void. A mail tells its
    /// owner, if an address is left. Returns `true` if the taker can have the address. Returns `false`, and changes
    /// nothing, if another account keeps it.
    pub(super) async fn take_email_in(
        &self,
        tx: &mut ClientSession,
        email: &Email,
        taker: UserId,
        right: ClaimRight,
        now: Timestamp,
    ) -> Result<bool> {
        if right == ClaimRight::Claim && self.is_email_proven_by_other_in(tx, email, taker, now).await? {
            return Ok(false);
        }
        let claimants = doc! { "email": email.as_stored(), "_id": { "$ne": taker } };
        if let Some(holder) = self.account_in(tx, claimants).await? {
            let may_keep = match right {
                ClaimRight::Claim => holder.reserves(email, now),
                ClaimRight::Proof => holder.has_proven(email, now),
            };
            if may_keep {
                return Ok(false);
            }
            let removal = doc! { "$unset": { "email": "", "reset": "" }, "$set": { "updated_at": now } };
            if let Some(loser) = self.update_and_void_in(tx, doc! { "_id": holder.id }, removal).await? {
                self.queue_notice_in(tx, &loser, MailKind::EmailLost, now).await?;
            }
        }
        if right == ClaimRight::Proof {
            self.remove_former_proofs_in(tx, email, taker, now).await?;
        }
        Ok(true)
    }

    /// Returns whether an account other than `user` has proven an address.
    async fn is_email_proven_by_other_in(
        &self,
        tx: &mut ClientSession,
        email: &Email,
        user: UserId,
        now: Timestamp,
    ) -> Result<bool> {
        let mut filter = proven_email_filter(email, now);
        filter.insert("_id", doc! { "$ne": user });
        Ok(self.account_in(tx, filter).await?.is_some())
    }

    /// Removes the proof of an address from accounts that have proven it but have another address or none now. The
    /// notice goes to the proven address, because their current address may have been set by somebody else.
    async fn remove_former_proofs_in(
        &self,
        tx: &mut ClientSession,
        email: &Email,
        taker: UserId,
        now: Timestamp,
    ) -> Result<()> {
        let former_provers = doc! { "verification.email.value": email.as_stored(), "_id": { "$ne": taker } };
        while let Some(holder) = self.account_in(tx, former_provers.clone()).await? {
            let removal = doc! { "$unset": { "verification.email": "", "reset": "" }, "$set": { "updated_at": now } };
            self.update_and_void_in(tx, doc! { "_id": holder.id }, removal).await?;
            if holder.has_proven(email, now) {
                self.queue_notice_in(tx, &holder, MailKind::EmailLost, now).await?;
            }
        }
        Ok(())
    }

    /// Deletes the proofs of removed addresses whose time is over.
    pub(in crate::accounts) async fn forget_removed_emails(
        &self,
        now: Timestamp,
    ) -> std::result::Result<(), StoreError> {
        let expired = doc! { "verification.email.until": { "$lte": now } };
        self.docs.update_many(expired, doc! { "$unset": { "verification.email": "" } }).await?;
        Ok(())
    }

    /// Queues a mail about an account to its owner. Does nothing if the account has no address.
    pub(in crate::accounts) async fn queue_notice_in(
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

    /// Returns the account that matches `filter`, as the transaction sees it.
    pub(in crate::accounts) async fn account_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
    ) -> Result<Option<Account>> {
        let accounts = self.docs.clone_with_type::<Account>();
        accounts.find_one(filter).projection(Account::projection()).session(tx).await
    }

    /// Changes the account that matches `filter` in a transaction, and returns the account after the change.
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
