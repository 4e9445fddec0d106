//! What `update/` takes, and the rules it must keep.

use poem_openapi::{
    Object,
    types::{Example, MaybeUndefined},
};
use serde::Deserialize;

use super::not_confirmed;
use crate::{
    api::fields::{Digits, Line, PasswordIn, object},
    domain::{
        email::Email,
        invalid::InvalidField,
        password::Password,
        phone::Region,
        profile::{AddressChange, AddressLine, Language, Photo},
        username::Username,
    },
    error::{ApiError, ErrorCode, Refusal},
    services::profile::ProfileError,
    store::users::{Account, AccountChange, EmailChange},
};

/// What is new; whatever is left out stays as it is.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "AccountUpdate", example)]
pub(super) struct UpdateIn {
    /// 4 to 24 characters.
    username: Option<Line>,
    /// null removes the address, if the account has a number.
    #[serde(default)]
    email: MaybeUndefined<Line>,
    /// For another e-mail address, unless the sign-in is less than 10 minutes old.
    current_password: Option<PasswordIn>,
    #[serde(default, deserialize_with = "object")]
    display: Option<DisplayIn>,
    #[serde(default, deserialize_with = "object")]
    preference: Option<PreferenceIn>,
    #[serde(default, deserialize_with = "object")]
    address: Option<AddressIn>,
}

/// How the account is to be shown.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "DisplayUpdate")]
struct DisplayIn {
    /// `https://`, `http://` or `/media/`, at most 150 characters.
    photo: Option<Line>,
}

/// How the account likes the shop.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "PreferenceUpdate")]
struct PreferenceIn {
    /// BCP 47 tag of at most 10 characters.
    language: Option<Line>,
}

/// Where parts are to be sent: lines of at most 200 characters. An empty one clears what was there.
#[derive(Debug, Object, Deserialize)]
#[oai(rename = "AddressUpdate")]
struct AddressIn {
    name: Option<Line>,
    /// In any usual spelling.
    phone_number: Option<Digits>,
    address_line1: Option<Line>,
    address_line2: Option<Line>,
    city: Option<Line>,
    state: Option<Line>,
    country: Option<Line>,
    pincode: Option<Digits>,
    /// The same as `pincode`.
    postal_code: Option<Digits>,
}

impl UpdateIn {
    /// The password that confirms the change.
    pub(super) fn current_password(&self) -> Option<Password> {
        self.current_password
            .as_ref()
            .map(|password| password.0.clone())
            .filter(|password| !password.expose().is_empty())
    }

    /// Checks the body for `account`.
    pub(super) fn check(self, account: &Account, region: Region) -> Result<AccountChange, InvalidField> {
        let username =
            |name: Line| Username::parse(&name.0).map_err(|why| InvalidField::because("username", "username", why));
        let photo = |url: Line| Photo::parse(&url.0).ok_or_else(|| InvalidField::invalid_at("display.photo", "photo"));
        let language = |tag: Line| {
            Language::parse(&tag.0).ok_or_else(|| InvalidField::invalid_at("preference.language", "language"))
        };
        let stored = account.profile.address.as_ref().and_then(|address| address.pincode.as_deref());
        Ok(AccountChange {
            username: self.username.map(username).transpose()?,
            email: check_email(self.email)?,
            photo: self.display.and_then(|display| display.photo).map(photo).transpose()?,
            language: self.preference.and_then(|preference| preference.language).map(language).transpose()?,
            address: self.address.map(|address| address.check(stored, region)).transpose()?.unwrap_or_default(),
        })
    }
}

fn check_email(email: MaybeUndefined<Line>) -> Result<Option<EmailChange>, InvalidField> {
    match email {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(EmailChange::Removed)),
        MaybeUndefined::Value(text) => {
            let email = Email::parse(&text.0).map_err(|why| InvalidField::because("email", "email", why))?;
            Ok(Some(EmailChange::To(email)))
        }
    }
}

impl AddressIn {
    fn check(self, stored_pincode: Option<&str>, region: Region) -> Result<AddressChange, InvalidField> {
        // A frontend that sends a whole address back has edited one of the two names of the postal code.
        let edited = self.pincode.filter(|code| self.postal_code.is_none() || Some(code.0.as_str()) != stored_pincode);
        let phone = |number: Digits| {
            let field = "address.phone_number";
            AddressLine::phone(&number.0, region).map_err(|why| InvalidField::because(field, "phone number", why))
        };
        Ok(AddressChange {
            name: line("address.name", self.name)?,
            phone_number: self.phone_number.map(phone).transpose()?,
            address_line1: line("address.address_line1", self.address_line1)?,
            address_line2: line("address.address_line2", self.address_line2)?,
            city: line("address.city", self.city)?,
            state: line("address.state", self.state)?,
            country: line("address.country", self.country)?,
            pincode: line("address.pincode", edited.or(self.postal_code).map(|code| Line(code.0)))?,
        })
    }
}

fn line(field: &'static str, text: Option<Line>) -> Result<Option<AddressLine>, InvalidField> {
    let name = field.trim_start_matches("address.");
    let check = |text: Line| AddressLine::parse(&text.0).ok_or_else(|| InvalidField::because(field, name, "too long"));
    text.map(check).transpose()
}

impl Example for UpdateIn {
    fn example() -> Self {
        let line = |text: &str| Some(Line(text.to_owned()));
        Self {
            username: line("Asha Rao"),
            email: MaybeUndefined::Value(Line("asha@example.com".to_owned())),
            current_password: Some(PasswordIn(Password::new("Br4ke-pads!".to_owned()))),
            display: Some(DisplayIn { photo: line("https://images.example.com/asha.webp") }),
            preference: Some(PreferenceIn { language: line("en-IN") }),
            address: Some(AddressIn {
                name: line("Asha Rao"),
                phone_number: Some(Digits("9876543210".to_owned())),
                address_line1: line("14 MG Road"),
                address_line2: None,
                city: line("Pune"),
                state: line("Maharashtra"),
                country: line("India"),
                pincode: Some(Digits("411001".to_owned())),
                postal_code: None,
            }),
        }
    }
}

impl Refusal for ProfileError {
    const CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::WrongPassword,
        ErrorCode::ReauthenticationRequired,
        ErrorCode::UsernameTaken,
        ErrorCode::EmailTaken,
        ErrorCode::TooManyRequests,
        ErrorCode::TooBusy,
    ];

    fn into_error(self) -> ApiError {
        let text = self.to_string();
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NothingGiven => ApiError::new(ErrorCode::InvalidInput, text),
            Self::ContactRequired => ApiError::new(ErrorCode::InvalidInput, text).with_field("email"),
            Self::UsernameTaken => ApiError::new(ErrorCode::UsernameTaken, text).with_field("username"),
            Self::EmailTaken => ApiError::new(ErrorCode::EmailTaken, text).with_field("email"),
            Self::NotConfirmed(refusal) => not_confirmed(refusal),
            Self::ReauthenticationRequired => {
                ApiError::new(ErrorCode::ReauthenticationRequired, text).with_field("current_password")
            }
            Self::SignedOut => ApiError::new(ErrorCode::InvalidAccessToken, text),
            Self::Store(error) => error.into(),
        }
    }
}
