//! The account as its owner sees it, and a masked form without personal data for other readers.

use poem_openapi::{Object, types::Example};

use crate::{
    accounts::{Account, Profile, Verification, Verified},
    api::examples,
    api::{address::AddressOut, user_out::UserOut},
    values::{mask, time::Timestamp, url::PublicUrl},
};

/// An account with everything that its owner may see.
#[derive(Debug, Object)]
#[oai(rename = "Account", example)]
pub(in crate::api) struct AccountOut {
    #[oai(flatten)]
    user: UserOut,
    is_active: bool,
    /// Whether the account may manage the catalogue. True for staff and admins.
    is_staff: bool,
    profile: ProfileOut,
    verification: VerificationOut,
    /// Whether the phone number or e-mail address that the account has now was proven.
    is_verified: bool,
}

/// The data that the owner of an account gives about themselves.
#[derive(Debug, Object)]
#[oai(rename = "Profile")]
struct ProfileOut {
    /// The same number as `phone_number` of the account.
    phone: Option<ProfilePhoneOut>,
    address: AddressOut,
    display: Option<DisplayOut>,
    preference: Option<PreferenceOut>,
}

/// The phone number on the profile.
#[derive(Debug, Object)]
#[oai(rename = "ProfilePhone")]
struct ProfilePhoneOut {
    number: String,
    created_at: Timestamp,
}

/// The appearance of the account.
#[derive(Debug, Object)]
#[oai(rename = "Display")]
struct DisplayOut {
    /// URL of the account's picture.
    photo: String,
    created_at: Timestamp,
}

/// The owner's preferences.
#[derive(Debug, Object)]
#[oai(rename = "Preference")]
struct PreferenceOut {
    /// Language as a BCP 47 tag, such as `en-IN`.
    language: String,
    created_at: Timestamp,
}

/// The contacts of the account that were proven.
#[derive(Debug, Object)]
#[oai(rename = "Verification")]
struct VerificationOut {
    email: Option<VerifiedOut>,
    phone: Option<VerifiedOut>,
}

/// A proven e-mail address or phone number.
#[derive(Debug, Object)]
#[oai(rename = "Verified")]
struct VerifiedOut {
    value: String,
    verified_at: Option<Timestamp>,
}

impl AccountOut {
    /// Creates the answer for an account. `now` decides which proofs still count, and `public_url` is that of a picture
    /// that this server keeps.
    pub(in crate::api) fn new(mut account: Account, now: Timestamp, public_url: &PublicUrl) -> Self {
        let is_verified = account.proven_number(now).is_some()
            || account.email.as_ref().is_some_and(|email| account.has_proven(email, now));
        // An address that the owner has removed still counts as proven for some time. After that it is not shown any
        // more.
        account.verification.email = account.verification.email.filter(|email| email.proven(now).is_some());
        let address = AddressOut::of(&account);
        Self {
            user: UserOut::from(&account),
            is_active: account.is_active,
            is_staff: account.role.is_staff(),
            is_verified,
            profile: ProfileOut::new(account.profile, address, public_url),
            verification: account.verification.into(),
        }
    }

    /// Returns the account for readers who may not know the owner's personal data: phone numbers and e-mail addresses
    /// are masked, the lines of the postal address are empty, and the picture is left out.
    pub(in crate::api) fn masked(self) -> Self {
        let phone = self.profile.phone.map(|phone| ProfilePhoneOut { number: mask::phone(&phone.number), ..phone });
        let verified = |verified: Option<VerifiedOut>, masked: fn(&str) -> String| {
            verified.map(|verified| VerifiedOut { value: masked(&verified.value), ..verified })
        };
        Self {
            user: self.user.masked(),
            profile: ProfileOut { phone, address: self.profile.address.emptied(), display: None, ..self.profile },
            verification: VerificationOut {
                email: verified(self.verification.email, mask::email),
                phone: verified(self.verification.phone, mask::phone),
            },
            ..self
        }
    }
}

impl ProfileOut {
    fn new(profile: Profile, address: AddressOut, public_url: &PublicUrl) -> Self {
        Self {
            phone: profile
                .phone
                .map(|phone| ProfilePhoneOut { number: phone.number.to_string(), created_at: phone.created_at }),
            address,
            display: profile
                .display
                .map(|display| DisplayOut { photo: public_url.shown(&display.photo), created_at: display.created_at }),
            preference: profile
                .preference
                .map(|preference| PreferenceOut { language: preference.language, created_at: preference.created_at }),
        }
    }
}

impl From<Verification> for VerificationOut {
    fn from(verification: Verification) -> Self {
        fn out<T: ToString>(verified: Verified<T>) -> VerifiedOut {
            VerifiedOut { value: verified.value.to_string(), verified_at: verified.verified_at }
        }
        Self { email: verification.email.map(out), phone: verification.phone.map(out) }
    }
}

impl Example for AccountOut {
    fn example() -> Self {
        let user = UserOut::example();
        let created_at = examples::NOW;
        Self {
            user,
            is_active: true,
            is_staff: false,
            profile: ProfileOut {
                phone: Some(ProfilePhoneOut { number: examples::NUMBER.to_owned(), created_at }),
                address: AddressOut::example(),
                display: None,
                preference: None,
            },
            verification: VerificationOut { email: None, phone: None },
            is_verified: false,
        }
    }
}
