//! Setting a password without the old one: by a code or link, or by an operator on the command line.

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, error::Result};

use super::{Account, Users, Verified, contacts::ClaimRight};
use crate::{
    accounts::{
        rules::{
            contacts::{Contact, Standing},
            password::PasswordHash,
        },
        tokens::sealed::HashedToken,
    },
    audits::{operation::AuditOperation, store::Trail, subject::AuditSubject},
    db::{StoreError, query::find_part, transaction::transact},
    mail::kind::MailKind,
    values::{email::Email, ids::UserId, phone::E164, time::Timestamp},
};

/// The contact by which a password is reset.
#[derive(Debug, Clone, Copy)]
pub(super) enum ResetContact<'a> {
    /// A code that was sent to this number.
    Number(&'a E164),
    /// A link that was mailed to this address.
    Email(&'a Email),
}

impl ResetContact<'_> {
    fn contact(self) -> Contact {
        match self {
            Self::Number(_) => Contact::Number,
            Self::Email(_) => Contact::Email,
        }
    }

    /// Returns whether this contact belongs to the account and may reset it.
    fn may_reset(self, account: &Account, now: Timestamp) -> bool {
        let is_theirs = match self {
            Self::Number(number) => account.phone_number.as_ref() == Some(number),
            Self::Email(email) => account.reset_address(now) == Some(email),
        };
        is_theirs && account.contacts(now).may_reset(self.contact())
    }
}

impl Users {
    /// Allows one new password with the token that has this hash. A later token replaces an earlier one. Returns
    /// `false` when the account was disabled or does not have the number any more.
    pub(in crate::accounts) async fn allow_reset(
        &self,
        user: UserId,
        number: &E164,
        token_hash: &HashedToken,
        expires_at: Timestamp,
    ) -> std::result::Result<bool, StoreError> {
        let reset = doc! { "token_hash": token_hash, "number": number, "expires_at": expires_at };
        let filter = doc! { "_id": user, "is_active": true, "phone_number": number };
        Ok(self.docs.update_one(filter, doc! { "$set": { "reset": reset } }).await?.matched_count == 1)
    }

    /// Returns the account for which a token allows a new password; `None` if the token is not valid. `token_hashes`
    /// are the hashes of the token under all accepted keys.
    pub(in crate::accounts) async fn resettable(
        &self,
        user: UserId,
        token_hashes: &[HashedToken],
        now: Timestamp,
    ) -> std::result::Result<Option<Account>, StoreError> {
        find_part(&self.docs, resettable_by(user, token_hashes, now), Account::projection()).await
    }

    /// Sets a new password and uses the token up (update U6 in `docs/architecture.md`). Returns `false` when the token
    /// is not valid any more, or when the number may not reset the account any more.
    pub(in crate::accounts) async fn reset_password(
        &self,
        user: UserId,
        number: &E164,
        token_hashes: &[HashedToken],
        new: &PasswordHash,
        now: Timestamp,
    ) -> std::result::Result<bool, StoreError> {
        let filter = resettable_by(user, token_hashes, now);
        transact(&self.client, (self, number, new, &filter), move |tx, &(users, number, new, filter)| {
            async move { users.reset_in(tx, filter.clone(), ResetContact::Number(number), new, now).await }.boxed()
        })
        .await
    }

    /// Sets a new password through a contact, which is marked as proven. All sessions end, links and codes become void,
    /// and a mail tells the owner, if an address is left. The other contact is removed where [`Contacts::after_reset`]
    /// says so.
    ///
    /// Returns `false` when `filter` matches no account, or when the contact may not reset it.
    ///
    /// [`Contacts::after_reset`]: crate::accounts::rules::contacts::Contacts::after_reset
    pub(super) async fn reset_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
        through: ResetContact<'_>,
        new: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(account) = self.account_in(tx, filter).await? else { return Ok(false) };
        if !through.may_reset(&account, now) {
            return Ok(false);
        }
        let update = self.reset_update_in(tx, &account, through, new, now).await?;
        let changed = self.update_and_void_in(tx, doc! { "_id": account.id }, update).await?;
        if let Some(account) = &changed {
            self.queue_notice_in(tx, account, MailKind::PasswordChanged, now).await?;
        }
        Ok(changed.is_some())
    }

    /// Returns the update of a reset. Takes the address that the account will have away from other accounts.
    async fn reset_update_in(
        &self,
        tx: &mut ClientSession,
        account: &Account,
        through: ResetContact<'_>,
        new: &PasswordHash,
        now: Timestamp,
    ) -> Result<Document> {
        let mut set = doc! { "password_hash": new, "sessions": [], "last_reset_at": now, "updated_at": now };
        let mut unset = doc! { "reset": "", "verification.contested": "" };
        let after = account.contacts(now).after_reset(through.contact());
        if let ResetContact::Number(number) = through {
            set.insert("verification.phone", proven_now(number.clone(), now)?);
        } else if after.number == Standing::None {
            unset.extend(doc! { "phone_number": "", "profile.phone": "", "verification.phone": "" });
        }
        match kept_email(account, through, after.email) {
            Some(email) if self.take_email_in(tx, email, account.id, ClaimRight::Proof, now).await? => {
                set.insert("email", email);
            }
            _ => drop(unset.insert("email", "")),
        }
        if let ResetContact::Email(email) = through {
            set.insert("verification.email", proven_now(email.clone(), now)?);
        } else if after.email == Standing::None {
            unset.insert("verification.email", "");
        }
        Ok(doc! { "$set": set, "$unset": unset })
    }

    /// Sets a password for an operator. All sessions end, links and codes become void, the audits get an entry, and a
    /// mail tells the owner. Returns `false` when there is no such account.
    pub(in crate::accounts) async fn set_password(
        &self,
        user: UserId,
        new: &PasswordHash,
        trail: &Trail,
    ) -> std::result::Result<bool, StoreError> {
        transact(&self.client, (self, new, trail), move |tx, &(users, new, trail)| {
            async move {
                let now = trail.now;
                let update = doc! {
                    "$set": { "password_hash": &new, "sessions": [], "updated_at": now },
                    "$unset": { "reset": "", "verification.contested": "" },
                };
                let Some(account) = users.update_and_void_in(tx, doc! { "_id": user }, update).await? else {
                    return Ok(false);
                };
                users.queue_notice_in(tx, &account, MailKind::PasswordChanged, now).await?;
                users
                    .audits
                    .append_in(tx, trail.entry(AuditSubject::Users, AuditOperation::PasswordSet, user))
                    .await
                    .map(|()| true)
            }
            .boxed()
        })
        .await
    }
}

/// Returns the address that the account has after a reset. After a reset by mail this is the address of the link. After
/// a reset by the number it is the proven address, if the reset leaves it and the owner has not removed it.
fn kept_email<'a>(account: &'a Account, through: ResetContact<'a>, after: Standing) -> Option<&'a Email> {
    match through {
        ResetContact::Email(email) => Some(email),
        ResetContact::Number(_) => {
            let proven = account.verification.email.as_ref().filter(|_| after == Standing::Proven);
            proven.filter(|email| email.until.is_none()).map(|email| &email.value)
        }
    }
}

/// Returns the stored form of a value that is proven at `now`.
fn proven_now<T: serde::Serialize>(value: T, now: Timestamp) -> Result<Bson> {
    Ok(bson::serialize_to_bson(&Verified::proven_at(value, now))?)
}

/// Returns the filter for the account for which a token allows a new password.
fn resettable_by(user: UserId, token_hashes: &[HashedToken], now: Timestamp) -> Document {
    let hashes: Vec<Bson> = token_hashes.iter().map(Bson::from).collect();
    doc! {
        "_id": user,
        "is_active": true,
        "reset.token_hash": { "$in": hashes },
        "reset.expires_at": { "$gt": now },
        "$expr": { "$eq": ["$reset.number", "$phone_number"] },
    }
}
