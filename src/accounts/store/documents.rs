//! The account as stored, and the parts of it that single questions need.

use bson::{Document, doc};
use serde::{Deserialize, Serialize};

use crate::values::cart::CartDoc;
use crate::{
    accounts::rules::{
        password::PasswordHash,
        username::{Username, UsernameKey},
    },
    images::key::ImageKey,
    values::{
        email::Email,
        ids::{AddressId, SessionId, UserId},
        phone::E164,
        role::Role,
        time::Timestamp,
        url::ImageUrl,
    },
};

/// The whole account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// The name as its owner spells it.
    pub username: Username,
    /// The form under which the name is unique.
    pub username_key: UsernameKey,
    /// Sign-in number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<E164>,
    /// Address in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// bcrypt.
    pub password_hash: PasswordHash,
    /// What the account may do.
    pub role: Role,
    /// Whether its owner may sign in.
    pub is_active: bool,
    /// What its owner tells of themselves.
    #[serde(default)]
    pub profile: Profile,
    /// What was proven.
    #[serde(default)]
    pub verification: Verification,
    /// What its owner is about to buy.
    pub cart: CartDoc,
    /// Signed-in browsers and apps, at most 10.
    pub sessions: Vec<SessionDoc>,
    /// When its owner last signed in, be the session ended or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What the owner of an account tells of themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Mirrors the sign-in number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<ProfilePhone>,
    /// Where parts are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// How the account is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Display>,
    /// How the account likes the shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<Preference>,
}

/// Where parts are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: AddressId,
    /// Who receives.
    pub name: Option<String>,
    /// Whom the courier calls.
    pub phone_number: Option<String>,
    /// Street and house.
    pub address_line1: Option<String>,
    /// Whatever else helps to find it.
    pub address_line2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Postal code.
    pub pincode: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How the account is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Display {
    /// URL of a picture.
    pub photo: String,
    /// Since when.
    pub created_at: Timestamp,
    /// The key of a picture that was sent for this account; a typed URL has none, even if it names such a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKey>,
    /// Older versions had no keys and said by this that the file at the URL is the account's own.
    #[serde(default, skip_serializing)]
    uploaded: bool,
}

impl Display {
    /// A picture that was sent for the account.
    pub fn of_upload(image_key: ImageKey, url: &ImageUrl, now: Timestamp) -> Self {
        Self { photo: url.to_string(), created_at: now, image_key: Some(image_key), uploaded: false }
    }
}

impl Profile {
    /// The key of the picture that goes with the account.
    pub(crate) fn owned_image(&self) -> Option<ImageKey> {
        let display = self.display.as_ref()?;
        let of_older_version = || display.uploaded.then(|| ImageKey::of_media(&display.photo)).flatten();
        display.image_key.clone().or_else(of_older_version)
    }
}

/// How the account likes the shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preference {
    /// BCP 47 tag.
    pub language: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// The number shown on the profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfilePhone {
    /// The number.
    pub number: E164,
    /// Since when.
    pub created_at: Timestamp,
}

/// Which of number and address were proven.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Verification {
    /// The address that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Verified<Email>>,
    /// The number that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Verified<E164>>,
    /// Whether the address was proven by somebody who wasn't signed in: see [`Contacts::contested`].
    ///
    /// [`Contacts::contested`]: crate::accounts::rules::contacts::Contacts::contested
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
}

/// A value and when it was proven.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verified<T> {
    /// What was proven.
    pub value: T,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// Until when it counts; set when the owner has removed it from the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl<T> Verified<T> {
    /// A value that is proven now.
    pub fn now(value: T, now: Timestamp) -> Self {
        Self { value, verified_at: Some(now), until: None }
    }

    /// The value, while it counts as proven.
    pub fn proven(&self, now: Timestamp) -> Option<&T> {
        let counts = self.verified_at.is_some() && self.until.is_none_or(|until| until > now);
        counts.then_some(&self.value)
    }
}

/// A signed-in browser or app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: SessionId,
    /// The number inside its current refresh token (*c*): how often it was rotated, or the constant of a session that
    /// does not rotate.
    pub counter: u32,
    /// When it was last rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// The counter of the token that the current one was made from (*p*); sessions of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor: Option<u32>,
    /// Whether the current token has come back since it was made, so that its answer was not lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub presented: bool,
    /// The browser or app, as it named itself.
    pub device: String,
    /// Where the sign-in came from.
    pub ip: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the password was last given.
    pub signed_in_at: Timestamp,
    /// When it was last refreshed.
    pub last_used_at: Timestamp,
    /// Until when it can be refreshed.
    pub expires_at: Timestamp,
}

impl SessionDoc {
    /// The counter of the token that the current one was made from. Sessions of older versions counted up by one.
    pub fn predecessor(&self) -> Option<u32> {
        self.rotated_at?;
        self.predecessor.or_else(|| self.counter.checked_sub(1))
    }
}

/// What a sign-in reads: the account as it is shown, and what it checks.
#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// What the password is compared with.
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
    /// Sign-in number.
    pub phone_number: Option<E164>,
    /// Address in lower case.
    pub email: Option<Email>,
    /// What the account may do.
    pub role: Role,
    /// Whether its owner may sign in.
    pub is_active: bool,
    /// What its owner tells of themselves.
    #[serde(default)]
    pub profile: Profile,
    /// What was proven.
    #[serde(default)]
    pub verification: Verification,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    pub(crate) fn projection() -> Document {
        doc! {
            "username": 1, "phone_number": 1, "email": 1, "role": 1, "is_active": 1,
            "profile": 1, "verification": 1, "created_at": 1,
        }
    }
}

/// What decides whether somebody may do something, and names who did it.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// The account's id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// Its name.
    pub username: Username,
    /// What it may do.
    pub role: Role,
}

impl Member {
    pub(crate) fn projection() -> Document {
        doc! { "username": 1, "role": 1 }
    }
}

/// An account with everything but its secrets.
#[derive(Debug, Clone, Deserialize)]
pub struct WholeAccount {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// Signed-in browsers and apps.
    pub sessions: Vec<SessionDoc>,
    /// What its owner is about to buy.
    pub cart: CartDoc,
    /// When its owner last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl WholeAccount {
    pub(crate) fn projection() -> Document {
        let mut fields = Account::projection();
        fields.extend(doc! { "sessions": 1, "cart": 1, "last_sign_in_at": 1, "updated_at": 1 });
        fields
    }
}

impl Credentials {
    pub(crate) fn projection() -> Document {
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
