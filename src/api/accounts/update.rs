//! The body of `update/`, and the check of its rules.

use poem_openapi::{
    Object,
    types::{Example, MaybeUndefined},
};
use serde::Deserialize;

use crate::{
    accounts::{
        Account, AccountChange, EmailChange, PhotoChange,
        profile::ProfileError,
        rules::{
            password::Password,
            profile::{Language, Photo},
            username::Username,
        },
        sign_in::ReauthenticationError,
    },
    api::{
        address::AddressIn,
        error::refusals,
        examples,
        fields::{Line, PasswordIn, object, optional_password},
    },
    config::Config,
    db::StoreError,
    limits::LimitError,
    values::{email::Email, invalid::InvalidField, url::PublicUrl},
};

/// Changes of the account. Fields that are left out stay as they are.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "AccountUpdate", example)]
pub(super) struct UpdateIn {
    /// 4 to 24 letters, digits, single spaces and `._-`, with at least one letter.
    username: Option<Line>,
    /// E-mail address. `null` removes it, which is only possible if the account has a phone number.
    #[serde(default)]
    email: MaybeUndefined<Line>,
    /// Required to change or remove the e-mail address, unless the sign-in is less than 10 minutes old.
    current_password: Option<PasswordIn>,
    #[serde(default, deserialize_with = "object")]
    display: Option<DisplayIn>,
    #[serde(default, deserialize_with = "object")]
    preference: Option<PreferenceIn>,
    #[serde(default, deserialize_with = "object")]
    address: Option<AddressIn>,
    /// The same three objects, nested as in the account's answer. Those that are given above take precedence.
    #[serde(default, deserialize_with = "object")]
    profile: Option<ProfileIn>,
}

/// The data that the owner gives about themselves, nested as in the account's answer.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "ProfileUpdate")]
struct ProfileIn {
    #[serde(default, deserialize_with = "object")]
    display: Option<DisplayIn>,
    #[serde(default, deserialize_with = "object")]
    preference: Option<PreferenceIn>,
    #[serde(default, deserialize_with = "object")]
    address: Option<AddressIn>,
}

/// The appearance of the account.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "DisplayUpdate")]
struct DisplayIn {
    /// URL of a picture that begins with `https://`, `http://` or `/media/`; at most 150 characters. `null` removes the
    /// picture.
    #[serde(default)]
    photo: MaybeUndefined<Line>,
}

/// The owner's preferences.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "PreferenceUpdate")]
struct PreferenceIn {
    /// Language as a BCP 47 tag of at most 10 characters, such as `en-IN`.
    language: Option<Line>,
}

impl UpdateIn {
    /// Returns the password that confirms the change, or `None` if it is missing or empty.
    pub(super) fn current_password(&self) -> Option<Password> {
        optional_password(self.current_password.clone())
    }

    /// Checks the body against the rules. A username or e-mail address that equals the account's is accepted unchecked,
    /// because it may be older than the rules.
    pub(super) fn check(self, account: &Account, config: &Config) -> Result<AccountChange, InvalidField> {
        let username = |name: Line| match name.0 == account.username.as_str() {
            true => Ok(account.username.clone()),
            false => Username::parse(&name.0).map_err(|why| InvalidField::because("username", "username", why)),
        };
        let (mut display, mut preference, mut address, mut at) =
            (self.display, self.preference, self.address, "address.");
        if let Some(profile) = self.profile {
            if address.is_none() {
                at = "profile.address.";
            }
            display = display.or(profile.display);
            preference = preference.or(profile.preference);
            address = address.or(profile.address);
        }
        let language = |tag: Line| {
            Language::parse(&tag.0).ok_or_else(|| InvalidField::invalid_at("preference.language", "language"))
        };
        Ok(AccountChange {
            username: self.username.map(username).transpose()?,
            email: check_email(self.email, account)?,
            photo: display.map_or(Ok(None), |display| check_photo(display.photo, &config.shop.public_url))?,
            language: preference.and_then(|preference| preference.language).map(language).transpose()?,
            address: address.map(|address| address.check(at, config.default_region)).transpose()?.unwrap_or_default(),
        })
    }
}

fn check_photo(photo: MaybeUndefined<Line>, public_url: &PublicUrl) -> Result<Option<PhotoChange>, InvalidField> {
    match photo {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(PhotoChange::Removed)),
        MaybeUndefined::Value(url) => {
            let photo = Photo::parse(public_url.stored(&url.0))
                .ok_or_else(|| InvalidField::invalid_at("display.photo", "photo"))?;
            Ok(Some(PhotoChange::To(photo)))
        }
    }
}

fn check_email(email: MaybeUndefined<Line>, account: &Account) -> Result<Option<EmailChange>, InvalidField> {
    match email {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(EmailChange::Removed)),
        MaybeUndefined::Value(text) => {
            let unchanged = account.email.clone().filter(|email| email.as_str() == text.0).map(Ok);
            let email = unchanged.unwrap_or_else(|| Email::parse(&text.0));
            Ok(Some(EmailChange::To(email.map_err(|why| InvalidField::because("email", "email", why))?)))
        }
    }
}

impl Example for UpdateIn {
    fn example() -> Self {
        let line = |text: &str| Some(Line(text.to_owned()));
        Self {
            username: line(examples::USERNAME),
            email: MaybeUndefined::Value(examples::line(examples::EMAIL)),
            current_password: Some(PasswordIn(Password::new("Br4ke-pads!".to_owned()))),
            display: Some(DisplayIn {
                photo: MaybeUndefined::Value(Line("https://images.example.com/asha.webp".to_owned())),
            }),
            preference: Some(PreferenceIn { language: line("en-IN") }),
            address: Some(AddressIn::example()),
            profile: None,
        }
    }
}

refusals! {
    ProfileError {
        codes {
            NothingGiven => InvalidInput,
            ContactRequired => InvalidInput ["email"],
            UsernameTaken => UsernameTaken ["username"],
            EmailTaken => EmailTaken ["email"],
            SignedOut => InvalidAccessToken,
        }
        causes { Invalid: InvalidField, Reauthentication: ReauthenticationError, Limited: LimitError, Store: StoreError }
    }
}
