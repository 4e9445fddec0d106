//! The changes that owners make to their accounts. The filter of each update also checks that the session is alive.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::options::ReturnDocument;

use super::{Account, Users, alive, contacts::ClaimRight};
use crate::{
    accounts::rules::{
        password::PasswordHash,
        profile::{AddressChange, AddressLine, Language, Photo},
        username::Username,
    },
    db::{StoreError, transaction::transact},
    values::{email::Email, ids::SessionRef, time::Timestamp},
};

/// The time for which a removed address still gets notices and can reset the password. If somebody else has removed it,
/// the owner has this time to notice.
const REMOVED_COUNTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A change of an account. Fields that are `None` stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The username.
    pub username: Option<Username>,
    /// The e-mail address.
    pub email: Option<EmailChange>,
    /// The picture.
    pub photo: Option<PhotoChange>,
    /// The language.
    pub language: Option<Language>,
    /// The postal address.
    pub address: AddressChange,
}

/// A change of the e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailChange {
    /// Another address, which is not proven yet. An address that was proven before can still reset the password.
    To(Email),
    /// No address. One that was proven still gets notices and can reset the password for 7 days ([`REMOVED_COUNTS`]).
    Removed,
}

/// A change of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoChange {
    /// The image at this URL.
    To(Photo),
    /// No picture.
    Removed,
}

/// What the update checks to be sure that the caller is the owner, and not the thief of an access token.
#[derive(Debug, Clone)]
pub enum Proof {
    /// Nothing: the change does not need it.
    NotNeeded,
    /// The account still has this password hash, with which the password of the caller was compared.
    Password(PasswordHash),
    /// The caller has signed in after this time.
    SignInAfter(Timestamp),
}

impl AccountChange {
    /// Returns whether the change names no field.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Users {
    /// Changes an account and returns it after the change. A change of the e-mail address voids all open links, codes
    /// and resets of the account.
    ///
    /// Returns `None` when the session is not alive, when `proof` does not hold any more, or when the account would
    /// have neither a number nor an address. Fails with [`StoreError::Duplicate`] when another account has the name or
    /// address.
    pub(in crate::accounts) async fn change_account(
        &self,
        caller: SessionRef,
        change: &AccountChange,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        let (condition, pipeline) = (condition(caller, change, proof), pipeline(change, now));
        if change.email.is_none() && change.photo.is_none() {
            let docs = self.docs.clone_with_type::<Account>();
            let changed = docs.find_one_and_update(condition, pipeline).projection(Account::projection());
            return Ok(changed.return_document(ReturnDocument::After).await?);
        }
        let (email, has_photo) = (change.email.clone(), change.photo.is_some());
        let changed = transact(
            &self.client,
            (self, &email, &condition, &pipeline),
            move |tx, &(users, email, condition, pipeline)| {
                async move {
                    if users.account_in(tx, condition.clone()).await?.is_none() {
                        return Ok(Ok(None));
                    }
                    if let Some(EmailChange::To(email)) = &email
                        && !users.take_email_in(tx, email, caller.user, ClaimRight::Claim, now).await?
                    {
                        return Ok(Err(StoreError::Duplicate));
                    }
                    if has_photo {
                        users.let_picture_go_in(tx, condition.clone(), now).await?;
                    }
                    let changed = match email {
                        Some(_) => users.update_and_void_in(tx, condition.clone(), pipeline.clone()).await?,
                        None => users.change_in(tx, condition.clone(), pipeline.clone()).await?,
                    };
                    Ok(Ok(changed))
                }
                .boxed()
            },
        );
        changed.await?
    }
}

fn condition(caller: SessionRef, change: &AccountChange, proof: &Proof) -> Document {
    let mut filter = alive(caller);
    match proof {
        Proof::NotNeeded => {}
        Proof::Password(hash) => drop(filter.insert("password_hash", hash)),
        Proof::SignInAfter(at) => {
            let session = doc! { "_id": caller.session, "signed_in_at": { "$gt": *at } };
            filter.insert("sessions", doc! { "$elemMatch": session });
        }
    }
    if change.email == Some(EmailChange::Removed) {
        filter.insert("phone_number", doc! { "$gt": "" });
    }
    filter
}

/// Returns the update of a change. It is a pipeline, so that the postal address gets an id only where it has none.
/// Texts are wrapped in `$literal`. Otherwise the text `$password_hash` would be read as the name of a field.
fn pipeline(change: &AccountChange, now: Timestamp) -> Vec<Document> {
    let mut set = doc! { "updated_at": now };
    let mut unset = Vec::new();
    if let Some(name) = &change.username {
        set.insert("username", doc! { "$literal": name.to_string() });
        set.insert("username_key", doc! { "$literal": &name.key() });
    }
    match &change.photo {
        // A pipeline would merge a plain object with the stored one. `$literal` makes it replace the whole object.
        Some(PhotoChange::To(photo)) => {
            set.insert("profile.display", doc! { "$literal": { "photo": photo, "created_at": now } });
        }
        Some(PhotoChange::Removed) => unset.push("profile.display"),
        None => {}
    }
    if let Some(language) = &change.language {
        set.insert("profile.preference", doc! { "$literal": { "language": language, "created_at": now } });
    }
    set.extend(address_fields(&change.address, now));
    if let Some(email) = &change.email {
        // The permission to reset, which a code has given, becomes void like the open links and codes.
        unset.push("reset");
        match email {
            EmailChange::To(email) => drop(set.insert("email", doc! { "$literal": email })),
            EmailChange::Removed => unset.push("email"),
        }
        set.insert("verification.email", proof_of_email(email, now));
    }
    let mut stages = vec![doc! { "$set": set }];
    if !unset.is_empty() {
        stages.push(doc! { "$unset": unset });
    }
    stages
}

/// Returns the expression for `verification.email` after a change of the address. If the proof stored there still
/// counts:
///
/// | change | the stored proof |
/// |---|---|
/// | to another address | stays, until the new address is proven |
/// | to the proven address itself | stays; if that address was removed before, the proof now counts without an end |
/// | removed | counts for 7 more days ([`REMOVED_COUNTS`]), or until the end that it has already |
///
/// A proof that does not count any more is removed.
fn proof_of_email(email: &EmailChange, now: Timestamp) -> Document {
    let (proof, until) = ("$verification.email", "$verification.email.until");
    let counts = doc! { "$and": [
        { "$gt": ["$verification.email.verified_at", null] },
        { "$or": [{ "$lte": [until, null] }, { "$gt": [until, now] }] },
    ] };
    let kept = match email {
        EmailChange::To(email) => {
            let is_set_again = doc! { "$eq": ["$verification.email.value", { "$literal": email }] };
            doc! { "$cond": [is_set_again, { "$unsetField": { "field": "until", "input": proof } }, proof] }
        }
        EmailChange::Removed => doc! { "$mergeObjects": [{ "until": now.after(REMOVED_COUNTS) }, proof] },
    };
    doc! { "$cond": [counts, kept, "$$REMOVE"] }
}

fn address_fields(address: &AddressChange, now: Timestamp) -> Document {
    if address.is_empty() {
        return Document::new();
    }
    let mut set = doc! {
        // An account has one address, which has the id of the account by default: see `accounts/address.rs`.
        "profile.address._id": { "$ifNull": ["$profile.address._id", "$_id"] },
        "profile.address.updated_at": now,
    };
    let lines = address.lines().into_iter().filter_map(|(name, line)| Some((name, stored(line?))));
    set.extend(lines.chain(pincode(address)).map(|(name, line)| (format!("profile.address.{name}"), line)));
    set
}

/// Returns the value that a pipeline sets for a line. An empty line removes the field.
fn stored(line: &AddressLine) -> Bson {
    line.kept().map_or(Bson::from("$$REMOVE"), |text| doc! { "$literal": text }.into())
}

fn pincode(address: &AddressChange) -> Option<(&'static str, Bson)> {
    let (pincode, postal_code) = (address.pincode.as_ref(), address.postal_code.as_ref());
    let (Some(pincode), Some(postal_code)) = (pincode, postal_code) else {
        return pincode.or(postal_code).map(|line| ("pincode", stored(line)));
    };
    let current = doc! { "$ifNull": ["$profile.address.pincode", ""] };
    let unedited = doc! { "$eq": [current, { "$literal": pincode.kept().unwrap_or_default() }] };
    Some(("pincode", doc! { "$cond": [unedited, stored(postal_code), stored(pincode)] }.into()))
}
