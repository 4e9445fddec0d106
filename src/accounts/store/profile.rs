//! The changes that owners make to their accounts. The filter of each update also checks that the session is alive.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::FutureExt;
use mongodb::{ClientSession, options::ReturnDocument};

use super::{Account, ChangeOutcome, Users, alive, contacts::ClaimRight};
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
const REMOVED_EMAIL_COUNTS_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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
    /// No address. One that was proven still gets notices and can reset the password for 7 days
    /// ([`REMOVED_EMAIL_COUNTS_FOR`]).
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
        let (filter, pipeline) = (change_filter(caller, change, proof), change_pipeline(change, now));
        if change.email.is_none() && change.photo.is_none() {
            let docs = self.docs.clone_with_type::<Account>();
            let changed = docs.find_one_and_update(filter, pipeline).projection(Account::projection());
            return Ok(changed.return_document(ReturnDocument::After).await?);
        }
        let captures = (self, change, &filter, &pipeline);
        let outcome = transact(&self.client, captures, move |tx, &(users, change, filter, pipeline)| {
            async move { users.change_account_in(tx, caller, change, filter, pipeline, now).await }.boxed()
        });
        outcome.await?.into_result()
    }

    /// Changes the address, the picture or both, with everything that this affects in other documents.
    async fn change_account_in(
        &self,
        tx: &mut ClientSession,
        caller: SessionRef,
        change: &AccountChange,
        filter: &Document,
        pipeline: &[Document],
        now: Timestamp,
    ) -> mongodb::error::Result<ChangeOutcome> {
        if self.account_in(tx, filter.clone()).await?.is_none() {
            return Ok(ChangeOutcome::done(None));
        }
        let mut pipeline = pipeline.to_vec();
        if let Some(PhotoChange::To(photo)) = &change.photo {
            // The flow has looked for the file. If it is gone now, the next attempt is told so.
            let Some(stages) = self.claim_picture_in(tx, photo.as_str()).await? else {
                return Ok(ChangeOutcome::PictureGone);
            };
            pipeline.extend(stages);
        }
        if let Some(EmailChange::To(email)) = &change.email
            && !self.take_email_in(tx, email, caller.user, ClaimRight::Claim, now).await?
        {
            return Ok(ChangeOutcome::Taken);
        }
        if change.photo.is_some() {
            self.discard_picture_in(tx, filter.clone(), now).await?;
        }
        let changed = match change.email {
            Some(_) => self.update_and_void_in(tx, filter.clone(), pipeline).await?,
            None => self.change_in(tx, filter.clone(), pipeline).await?,
        };
        Ok(ChangeOutcome::done(changed))
    }
}

/// Returns the filter by which a change is allowed.
fn change_filter(caller: SessionRef, change: &AccountChange, proof: &Proof) -> Document {
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
fn change_pipeline(change: &AccountChange, now: Timestamp) -> Vec<Document> {
    let mut fields = FieldChanges { set: doc! { "updated_at": now }, unset: Vec::new() };
    if let Some(name) = &change.username {
        fields.set.insert("username", doc! { "$literal": name.to_string() });
        fields.set.insert("username_key", doc! { "$literal": &name.key() });
    }
    if let Some(photo) = &change.photo {
        fields.change_photo(photo, now);
    }
    if let Some(language) = &change.language {
        let preference = doc! { "language": language, "created_at": now };
        fields.set.insert("profile.preference", doc! { "$literal": preference });
    }
    fields.set.extend(address_fields(&change.address, now));
    if let Some(email) = &change.email {
        fields.change_email(email, now);
    }
    fields.into_stages()
}

/// The fields that a pipeline sets, and those that it removes.
struct FieldChanges {
    set: Document,
    unset: Vec<&'static str>,
}

impl FieldChanges {
    fn change_photo(&mut self, photo: &PhotoChange, now: Timestamp) {
        match photo {
            // A pipeline would merge a plain object with the stored one. `$literal` makes it replace the whole object.
            PhotoChange::To(photo) => {
                let display = doc! { "photo": photo, "created_at": now };
                self.set.insert("profile.display", doc! { "$literal": display });
            }
            PhotoChange::Removed => self.unset.push("profile.display"),
        }
    }

    fn change_email(&mut self, email: &EmailChange, now: Timestamp) {
        // The permission to reset, which a code has given, becomes void like the open links and codes.
        self.unset.push("reset");
        match email {
            EmailChange::To(email) => drop(self.set.insert("email", doc! { "$literal": email })),
            EmailChange::Removed => self.unset.push("email"),
        }
        self.set.insert("verification.email", proof_of_email(email, now));
    }

    fn into_stages(self) -> Vec<Document> {
        let mut stages = vec![doc! { "$set": self.set }];
        if !self.unset.is_empty() {
            stages.push(doc! { "$unset": self.unset });
        }
        stages
    }
}

/// Returns the expression for `verification.email` after a change of the address. If the proof stored there still
/// counts:
///
/// | change | the stored proof |
/// |---|---|
/// | to another address | stays, until the new address is proven |
/// | to the proven address itself | stays; if that address was removed before, the proof now counts without an end |
/// | removed | counts for 7 more days ([`REMOVED_EMAIL_COUNTS_FOR`]), or until the end that it has already |
///
/// A proof that does not count any more is removed.
fn proof_of_email(email: &EmailChange, now: Timestamp) -> Document {
    let (proof, until) = ("$verification.email", "$verification.email.until");
    let still_counts = doc! { "$and": [
        { "$gt": ["$verification.email.verified_at", null] },
        { "$or": [{ "$lte": [until, null] }, { "$gt": [until, now] }] },
    ] };
    let kept = match email {
        EmailChange::To(email) => {
            let is_set_again = doc! { "$eq": ["$verification.email.value", { "$literal": email }] };
            doc! { "$cond": [is_set_again, { "$unsetField": { "field": "until", "input": proof } }, proof] }
        }
        EmailChange::Removed => doc! { "$mergeObjects": [{ "until": now.after(REMOVED_EMAIL_COUNTS_FOR) }, proof] },
    };
    doc! { "$cond": [still_counts, kept, "$$REMOVE"] }
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
    let lines = address.lines().into_iter().filter_map(|(name, line)| Some((name, stored_line(line?))));
    set.extend(lines.chain(pincode_field(address)).map(|(name, line)| (format!("profile.address.{name}"), line)));
    set
}

/// Returns the value that a pipeline sets for a line. An empty line removes the field.
fn stored_line(line: &AddressLine) -> Bson {
    line.text().map_or(Bson::from("$$REMOVE"), |text| doc! { "$literal": text }.into())
}

/// Returns the field of the postal code with its new value, which comes from one of the two fields of the change.
fn pincode_field(address: &AddressChange) -> Option<(&'static str, Bson)> {
    let (pincode, postal_code) = (address.pincode.as_ref(), address.postal_code.as_ref());
    let (Some(pincode), Some(postal_code)) = (pincode, postal_code) else {
        return pincode.or(postal_code).map(|line| ("pincode", stored_line(line)));
    };
    let current = doc! { "$ifNull": ["$profile.address.pincode", ""] };
    let is_pincode_unedited = doc! { "$eq": [current, { "$literal": pincode.text().unwrap_or_default() }] };
    Some(("pincode", doc! { "$cond": [is_pincode_unedited, stored_line(postal_code), stored_line(pincode)] }.into()))
}
