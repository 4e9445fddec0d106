//! What owners change about their accounts: one conditional update that also signs the caller in.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::options::ReturnDocument;

use super::{Account, Users, alive, contacts::Right};
use crate::{
    accounts::rules::{
        password::PasswordHash,
        profile::{AddressChange, AddressLine, Language, Photo},
        username::Username,
    },
    db::{StoreError, transaction::transact},
    values::{email::Email, ids::SessionRef, time::Timestamp},
};

/// How long a removed address stays good for resets and notices: as long as an owner needs to see that it was somebody
/// else who removed it.
const REMOVED_COUNTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is new in an account; everything else stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The name.
    pub username: Option<Username>,
    /// The address for mail.
    pub email: Option<EmailChange>,
    /// The picture.
    pub photo: Option<PhotoChange>,
    /// The language.
    pub language: Option<Language>,
    /// Where parts are sent.
    pub address: AddressChange,
}

/// What becomes of the e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailChange {
    /// Another one, which is not proven yet. What was proven before stays good for resets.
    To(Email),
    /// None any more. One that was proven stays good for resets and notices for a while ([`REMOVED_COUNTS`]).
    Removed,
}

/// What becomes of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoChange {
    /// The image at this URL.
    To(Photo),
    /// None any more.
    Removed,
}

/// Why the caller is believed to be the owner, when that matters.
#[derive(Debug, Clone)]
pub enum Proof {
    /// It doesn't matter.
    NotNeeded,
    /// The password that was checked has this hash.
    Password(PasswordHash),
    /// The session's sign-in is younger than this.
    SignInAfter(Timestamp),
}

impl AccountChange {
    /// Whether nothing is new.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Users {
    /// Changes an account and returns it as it is then; `None` when the session is not alive, the proof doesn't hold,
    /// or the account would be left with neither number nor address. [`StoreError::Duplicate`] when the name or
    /// address is taken. With another address every open link and code is void.
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
        let (users, email, has_photo) = (self.clone(), change.email.clone(), change.photo.is_some());
        let changed = transact(&self.client, move |tx| {
            let (users, email) = (users.clone(), email.clone());
            let (condition, pipeline) = (condition.clone(), pipeline.clone());
            async move {
                if users.account_in(tx, condition.clone()).await?.is_none() {
                    return Ok(Ok(None));
                }
                if let Some(EmailChange::To(email)) = &email
                    && !users.take_email_in(tx, email, caller.user, Right::Claim, now).await?
                {
                    return Ok(Err(StoreError::Duplicate));
                }
                if has_photo {
                    users.let_picture_go_in(tx, condition.clone(), now).await?;
                }
                let changed = match email {
                    Some(_) => users.update_and_void_in(tx, condition, pipeline).await?,
                    None => users.change_in(tx, condition, pipeline).await?,
                };
                Ok(Ok(changed))
            }
            .boxed()
        });
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

/// A pipeline, so that the address gets an id only where it has none. Texts stand in `$literal`: one such as
/// `$password_hash` is a text and no field.
fn pipeline(change: &AccountChange, now: Timestamp) -> Vec<Document> {
    let mut set = doc! { "updated_at": now };
    let mut unset = Vec::new();
    if let Some(name) = &change.username {
        set.insert("username", doc! { "$literal": name.to_string() });
        set.insert("username_key", doc! { "$literal": &name.key() });
    }
    match &change.photo {
        // Whole in `$literal`: an object alone would be merged with the one that is there.
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
        // A reset that was begun by mail to the old address must not outlive it.
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

/// What becomes of the address that was proven. Another one takes its place only once that is proven too; a removed one
/// counts for a while; one that is set again counts as before, while it still does.
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
        // An account has one address: see `services/address.rs`.
        "profile.address._id": { "$ifNull": ["$profile.address._id", "$_id"] },
        "profile.address.updated_at": now,
    };
    let lines = address.lines().into_iter().filter_map(|(name, line)| Some((name, stored(line?))));
    set.extend(lines.chain(pincode(address)).map(|(name, line)| (format!("profile.address.{name}"), line)));
    set
}

/// A line as a pipeline sets it; an empty one goes.
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
