//! What owners change about their accounts: one conditional update that also signs the caller in.

use bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;

use super::{Account, Taken, Users, alive};
use crate::{
    domain::{
        email::Email,
        ids::{SessionRef, UserId},
        password::PasswordHash,
        profile::{AddressChange, AddressLine, Language, Photo},
        time::Timestamp,
        username::Username,
    },
    store::StoreError,
};

/// What is new in an account; everything else stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The name.
    pub username: Option<Username>,
    /// The address for mail.
    pub email: Option<EmailChange>,
    /// The picture.
    pub photo: Option<Photo>,
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
    /// None any more, and none that was proven.
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
    pub async fn change_account(
        &self,
        caller: SessionRef,
        change: &AccountChange,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        let (condition, pipeline) = (condition(caller, change, proof), pipeline(change, now));
        let has_other_address = change.email.is_some();
        if change.photo.is_some() {
            return self.change_picture(condition, pipeline, None, has_other_address, now).await;
        }
        if has_other_address {
            return self.update_and_void(condition, pipeline).await;
        }
        let docs = self.docs.clone_with_type::<Account>();
        let changed = docs
            .find_one_and_update(condition, pipeline)
            .projection(Account::projection())
            .return_document(ReturnDocument::After);
        Ok(changed.await?)
    }

    /// The first of name and address that an account other than `user` has already.
    pub async fn taken_from(&self, user: UserId, change: &AccountChange) -> Result<Option<Taken>, StoreError> {
        let others = |mut filter: Document| {
            filter.insert("_id", doc! { "$ne": user });
            filter
        };
        if let Some(name) = &change.username
            && self.exists(others(doc! { "username_key": &name.key() })).await?
        {
            return Ok(Some(Taken::Username));
        }
        if let Some(EmailChange::To(email)) = &change.email
            && self.exists(others(doc! { "email": email })).await?
        {
            return Ok(Some(Taken::Email));
        }
        Ok(None)
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
    if let Some(photo) = &change.photo {
        // Whole in `$literal`: an object alone would be merged with the one that is there.
        set.insert("profile.display", doc! { "$literal": { "photo": photo, "created_at": now } });
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
            EmailChange::Removed => unset.extend(["email", "verification.email"]),
        }
    }
    let mut stages = vec![doc! { "$set": set }];
    if !unset.is_empty() {
        stages.push(doc! { "$unset": unset });
    }
    stages
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
