//! The account as its owner sees it, and without personal data for others.

use poem_openapi::{Object, types::Example};

use crate::{
    accounts::store::{Account, Profile, Verification, Verified},
    api::{address::AddressOut, user_out::UserOut},
    values::{mask, time::Timestamp},
};

/// An account with everything its owner may see.
#[derive(Debug, Object)]
#[oai(rename = "Account", example)]
pub(in crate::api) struct AccountOut {
    #[oai(flatten)]
    user: UserOut,
    is_active: bool,
    /// Whether the account may run the catalogue.
    is_staff: bool,
    profile: ProfileOut,
    verification: VerificationOut,
    /// Whether the number or address that the account has now was proven.
    is_verified: bool,
}

/// What the owner of an account tells of themselves.
#[derive(Debug, Object)]
#[oai(rename = "Profile")]
struct ProfileOut {
    /// Mirrors the sign-in number.
    phone: Option<ProfilePhoneOut>,
    address: AddressOut,
    display: Option<DisplayOut>,
    preference: Option<PreferenceOut>,
}

/// The number shown on the profile.
#[derive(Debug, Object)]
#[oai(rename = "ProfilePhone")]
struct ProfilePhoneOut {
    number: String,
    created_at: Timestamp,
}

/// How the account is shown.
#[derive(Debug, Object)]
#[oai(rename = "Display")]
struct DisplayOut {
    /// URL of a picture.
    photo: String,
    created_at: Timestamp,
}

/// How the account likes the shop.
#[derive(Debug, Object)]
#[oai(rename = "Preference")]
struct PreferenceOut {
    /// BCP 47 tag.
    language: String,
    created_at: Timestamp,
}

/// What was proven.
#[derive(Debug, Object)]
#[oai(rename = "Verification")]
struct VerificationOut {
    email: Option<VerifiedOut>,
    phone: Option<VerifiedOut>,
}

/// A proven value.
#[derive(Debug, Object)]
#[oai(rename = "Verified")]
struct VerifiedOut {
    value: String,
    verified_at: Option<Timestamp>,
}

impl AccountOut {
    /// Shows an account as it is at a moment.
    pub(in crate::api) fn new(mut account: Account, now: Timestamp) -> Self {
        let is_verified = account.proven_number(now).is_some()
            || account.email.as_ref().is_some_and(|email| account.has_proven(email, now));
        // An address that was removed is nobody's business once it counts for nothing.
        account.verification.email = account.verification.email.filter(|email| email.proven(now).is_some());
        let address = AddressOut::of(&account);
        Self {
            user: UserOut::from(&account),
            is_active: account.is_active,
            is_staff: account.role.is_staff(),
            is_verified,
            profile: ProfileOut::new(account.profile, address),
            verification: account.verification.into(),
        }
    }

    /// As somebody sees it who may not know the owner: number and address of mail masked, an address without lines, no picture.
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
    fn new(profile: Profile, address: AddressOut) -> Self {
        Self {
            phone: profile
                .phone
                .map(|phone| ProfilePhoneOut { number: phone.number.to_string(), created_at: phone.created_at }),
            address,
            display: profile.display.map(|display| DisplayOut { photo: display.photo, created_at: display.created_at }),
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
        let created_at = Timestamp::from_millis(1_732_374_690_000);
        Self {
            user,
            is_active: true,
            is_staff: false,
            profile: ProfileOut {
                phone: Some(ProfilePhoneOut { number: "+919876543210".to_owned(), created_at }),
                address: AddressOut::example(),
                display: None,
                preference: None,
            },
            verification: VerificationOut { email: None, phone: None },
            is_verified: false,
        }
    }
}
