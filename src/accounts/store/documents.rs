//! The document of an account, and the parts of it that single queries read.

use bson::{Document, doc};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::rules::{
        password::PasswordHash,
        username::{Username, UsernameKey},
    },
    images::{key::ImageKey, store::ShownImage},
    values::{
        cart::CartDoc,
        email::Email,
        ids::{AddressId, SessionId, UserId},
        phone::E164,
        role::Role,
        time::Timestamp,
        url::ImageUrl,
    },
};

/// The document of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// The name as its owner spells it.
    pub username: Username,
    /// The form in which the username is unique.
    pub username_key: UsernameKey,
    /// The phone number, proven or only claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<E164>,
    /// The e-mail address in lower case, proven or only claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The bcrypt hash of the password.
    pub password_hash: PasswordHash,
    /// The role of the account.
    pub role: Role,
    /// Whether its owner may sign in.
    pub is_active: bool,
    /// What its owner tells about themselves.
    #[serde(default)]
    pub profile: Profile,
    /// Which contacts are proven.
    #[serde(default)]
    pub verification: Verification,
    /// The cart of its owner.
    pub cart: CartDoc,
    /// The sessions: browsers and apps that are signed in, at most 10.
    pub sessions: Vec<SessionDoc>,
    /// The time of the last sign-in, kept after the session ends. `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// What the owner of an account tells about themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Profile {
    /// A copy of the phone number of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<ProfilePhone>,
    /// The postal address, to which parts are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The picture of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Display>,
    /// The preferred language of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<Preference>,
}

/// The postal address, to which parts are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: AddressId,
    /// The name of the recipient.
    pub name: Option<String>,
    /// The number that the courier calls.
    pub phone_number: Option<String>,
    /// The street and the house number.
    pub address_line1: Option<String>,
    /// More that helps to find the place, such as a floor or a landmark.
    pub address_line2: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The postal code.
    pub pincode: Option<String>,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// The picture of the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Display {
    /// The URL of the picture.
    pub photo: String,
    /// The time at which it was set.
    pub created_at: Timestamp,
    /// The key of a picture that the shop stores. Older versions wrote none for URLs that were typed, and the oldest
    /// wrote none at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKey>,
}

impl Display {
    /// Makes the entry for a picture that was uploaded for the account.
    pub fn of_upload(image_key: ImageKey, url: &ImageUrl, now: Timestamp) -> Self {
        Self { photo: url.to_string(), created_at: now, image_key: Some(image_key) }
    }
}

impl Profile {
    /// Returns the picture, to be discarded when the account stops showing it; `None` if there is none.
    pub(in crate::accounts) fn shown_image(&self) -> Option<ShownImage> {
        let display = self.display.as_ref()?;
        Some(ShownImage { key: display.image_key.clone(), url: display.photo.clone() })
    }
}

/// The preferred language of the owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preference {
    /// The language as a BCP 47 tag.
    pub language: String,
    /// The time at which it was set.
    pub created_at: Timestamp,
}

/// The phone number that the profile shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfilePhone {
    /// The phone number.
    pub number: E164,
    /// The time at which it was set.
    pub created_at: Timestamp,
}

/// Which contacts of an account are proven.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Verification {
    /// The address that was proven. It may differ from the address that the account claims now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Verified<Email>>,
    /// The number that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Verified<E164>>,
    /// Whether the address was proven by somebody who was not signed in. See [`Contacts::contested`].
    ///
    /// [`Contacts::contested`]: crate::accounts::rules::contacts::Contacts::contested
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
}

/// A proven value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verified<T> {
    /// The value.
    pub value: T,
    /// The time of the proof. Without one the value does not count as proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// The time from which the proof does not count any more. It is set when the owner removes the value from the
    /// account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl<T> Verified<T> {
    /// Makes a value that is proven at `now` and counts without an end.
    pub fn proven_at(value: T, now: Timestamp) -> Self {
        Self { value, verified_at: Some(now), until: None }
    }

    /// Returns the value if it counts as proven at `now`.
    pub fn proven(&self, now: Timestamp) -> Option<&T> {
        let still_counts = self.verified_at.is_some() && self.until.is_none_or(|until| until > now);
        still_counts.then_some(&self.value)
    }
}

/// A session: a browser or app that is signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: SessionId,
    /// The counter of its current refresh token (`current` in `refresh.rs`): how often the session was rotated, or
    /// `STATIC_COUNTER` if it does not rotate.
    pub counter: u32,
    /// The time of the last rotation; `None` before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// The counter of the token that the current one was made from (`predecessor` in `refresh.rs`). Sessions of older
    /// versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<u32>,
    /// Whether the current token has come back since it was made. If so, the browser has received it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub presented: bool,
    /// The browser or app, as its `User-Agent` header says.
    pub device: String,
    /// The IP address of the sign-in.
    pub ip: String,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the sign-in. A refresh does not change it.
    pub signed_in_at: Timestamp,
    /// The time of the sign-in or of the last refresh. For a session that does not rotate it is updated once an hour at
    /// most.
    pub last_used_at: Timestamp,
    /// The time from which the session can't be refreshed any more.
    pub expires_at: Timestamp,
}

impl SessionDoc {
    /// Returns the counter of the token that the current one was made from; `None` before the first rotation. For
    /// sessions of older versions, which do not store it, it is always one less than the current counter.
    pub fn predecessor(&self) -> Option<u32> {
        self.rotated_at?;
        self.predecessor.or_else(|| self.counter.checked_sub(1))
    }
}

/// What a sign-in reads of an account.
#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// The hash that the password is compared with.
    pub password_hash: PasswordHash,
}

/// An account without its secrets, sessions and cart.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// The name.
    pub username: Username,
    /// The phone number, proven or only claimed.
    pub phone_number: Option<E164>,
    /// The e-mail address in lower case, proven or only claimed.
    pub email: Option<Email>,
    /// The role of the account.
    pub role: Role,
    /// Whether its owner may sign in.
    pub is_active: bool,
    /// What its owner tells about themselves.
    #[serde(default)]
    pub profile: Profile,
    /// Which contacts are proven.
    #[serde(default)]
    pub verification: Verification,
    /// The time of creation.
    pub created_at: Timestamp,
}

impl Account {
    pub(in crate::accounts) fn projection() -> Document {
        doc! {
            "username": 1, "phone_number": 1, "email": 1, "role": 1, "is_active": 1,
            "profile": 1, "verification": 1, "created_at": 1,
        }
    }
}

/// What is needed to decide whether a caller may do something, and to name the caller in the audits.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// The account's id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// The username.
    pub username: Username,
    /// The role.
    pub role: Role,
}

impl Member {
    pub(in crate::accounts) fn projection() -> Document {
        doc! { "username": 1, "role": 1 }
    }
}

/// An account with its sessions and its cart, but without secrets.
#[derive(Debug, Clone, Deserialize)]
pub struct WholeAccount {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// The sessions.
    pub sessions: Vec<SessionDoc>,
    /// The cart of its owner.
    pub cart: CartDoc,
    /// The time of the last sign-in, kept after the session ends.
    pub last_sign_in_at: Option<Timestamp>,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl WholeAccount {
    pub(in crate::accounts) fn projection() -> Document {
        let mut fields = Account::projection();
        fields.extend(doc! { "sessions": 1, "cart": 1, "last_sign_in_at": 1, "updated_at": 1 });
        fields
    }
}

impl Credentials {
    pub(in crate::accounts) fn projection() -> Document {
        let mut fields = Account::projection();
        fields.insert("password_hash", 1);
        fields
    }
}

impl From<UserDoc> for Account {
    fn from(user: UserDoc) -> Self {
        Self {
            id: user.id,
            username: user.username,
            phone_number: user.phone_number,
            email: user.email,
            role: user.role,
            is_active: user.is_active,
            profile: user.profile,
            verification: user.verification,
            created_at: user.created_at,
        }
    }
}
