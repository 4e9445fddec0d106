//! Inserting new accounts with their contacts, and changing the number of an account.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, error::Result};

use super::{
    Account, ChangeOutcome, TakenIdentity, UserDoc, Users, alive,
    contacts::{ClaimRight, proven_email_filter},
};
use crate::{
    accounts::rules::username::UsernameKey,
    db::{StoreError, query::find_part, transaction::transact},
    values::{
        email::Email,
        ids::{SessionRef, UserId},
        phone::E164,
        time::Timestamp,
    },
};

/// The name and the unproven contacts that an account asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct DesiredIdentity<'a> {
    /// The phone number.
    pub number: Option<&'a E164>,
    /// The username.
    pub username: Option<&'a UsernameKey>,
    /// The e-mail address.
    pub email: Option<&'a Email>,
}

impl Users {
    /// Returns whether an account other than `except` has proven a number.
    pub(in crate::accounts) async fn is_proven(
        &self,
        number: &E164,
        except: Option<UserId>,
    ) -> std::result::Result<bool, StoreError> {
        let mut filter = doc! {
            "phone_number": number,
            "verification.phone.value": number,
            "verification.phone.verified_at": { "$ne": null },
        };
        if let Some(user) = except {
            filter.insert("_id", doc! { "$ne": user });
        }
        self.exists(filter).await
    }

    /// Returns the first of number, name and address that an account other than `except` has, with the right to keep
    /// it; `None` if all of them are free.
    pub(in crate::accounts) async fn find_taken(
        &self,
        desired: DesiredIdentity<'_>,
        except: Option<UserId>,
        now: Timestamp,
    ) -> std::result::Result<Option<TakenIdentity>, StoreError> {
        let of_others = |mut filter: Document| {
            filter.extend(except.map(|user| ("_id".to_owned(), doc! { "$ne": user }.into())));
            filter
        };
        if let Some(number) = desired.number
            && self.exists(of_others(doc! { "phone_number": number })).await?
        {
            return Ok(Some(TakenIdentity::Phone));
        }
        if let Some(name) = desired.username
            && self.exists(of_others(doc! { "username_key": name })).await?
        {
            return Ok(Some(TakenIdentity::Username));
        }
        let Some(email) = desired.email else { return Ok(None) };
        if self.exists(of_others(proven_email_filter(email, now))).await? {
            return Ok(Some(TakenIdentity::Email));
        }
        let filter = of_others(doc! { "email": email.as_stored() });
        let holder: Option<Account> = find_part(&self.docs, filter, Account::projection()).await?;
        Ok(holder.filter(|holder| holder.reserves(email, now)).map(|_| TakenIdentity::Email))
    }

    /// Inserts an account. If it has proven its number, the number is taken away from an account that only claims it.
    /// Its address is taken away from an account that has not proven it but has another proven contact.
    ///
    /// Fails with [`StoreError::Duplicate`] when another account keeps the name, the number or the address.
    pub(in crate::accounts) async fn insert(
        &self,
        user: &UserDoc,
        now: Timestamp,
    ) -> std::result::Result<(), StoreError> {
        if user.email.is_none() && user.verification.phone.is_none() {
            self.docs.insert_one(user).await?;
            return Ok(());
        }
        let is_inserted = transact(&self.client, (self, user), move |tx, &(users, user)| {
            async move {
                if !users.take_contacts_in(tx, user, now).await? {
                    return Ok(false);
                }
                users.docs.insert_one(user).session(tx).await?;
                Ok(true)
            }
            .boxed()
        })
        .await?;
        if is_inserted { Ok(()) } else { Err(StoreError::Duplicate) }
    }

    /// Takes the contacts of a new account away from other accounts. Returns `false`, and changes nothing, when another
    /// account may keep one of them.
    async fn take_contacts_in(&self, tx: &mut ClientSession, user: &UserDoc, now: Timestamp) -> Result<bool> {
        let number = user.verification.phone.as_ref().map(|phone| &phone.value);
        if let Some(number) = number {
            let holder = self.account_in(tx, doc! { "phone_number": number }).await?;
            if holder.is_some_and(|holder| holder.proven_number(now).is_some()) {
                return Ok(false);
            }
        }
        if let Some(email) = &user.email
            && !self.take_email_in(tx, email, user.id, ClaimRight::Claim, now).await?
        {
            return Ok(false);
        }
        match number {
            Some(number) => self.take_number_in(tx, number, user.id, now).await,
            None => Ok(true),
        }
    }

    /// Gives an account a number that its owner has proven, and returns the account after the change. The number is
    /// taken away from an account that only claims it. The open links, codes and resets of the account become void.
    ///
    /// Returns `None` when the session is not alive. Fails with [`StoreError::Duplicate`] when another account has
    /// proven the number.
    pub(in crate::accounts) async fn change_number(
        &self,
        caller: SessionRef,
        number: &E164,
        now: Timestamp,
    ) -> std::result::Result<Option<Account>, StoreError> {
        let outcome = transact(&self.client, (self, number), move |tx, &(users, number)| {
            async move {
                if users.account_in(tx, alive(caller)).await?.is_none() {
                    return Ok(ChangeOutcome::done(None));
                }
                if !users.take_number_in(tx, number, caller.user, now).await? {
                    return Ok(ChangeOutcome::Taken);
                }
                let update = doc! { "$set": {
                    "phone_number": &number,
                    "profile.phone": { "number": &number, "created_at": now },
                    "verification.phone": { "value": &number, "verified_at": now },
                    "updated_at": now,
                }, "$unset": { "reset": "" } };
                users.update_and_void_in(tx, alive(caller), update).await.map(ChangeOutcome::done)
            }
            .boxed()
        });
        outcome.await?.into_result()
    }
}
