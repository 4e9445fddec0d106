//! Making new accounts.

use super::{
    hashing::{CallerPresence, HashError},
    rules::{
        password::{NewPassword, OwnerDetails, Password, PasswordHash},
        username::Username,
    },
    sessions::{self, Carrier, ClientContext, SignedIn},
    store::{DesiredIdentity, Profile, ProfilePhone, SessionDoc, TakenIdentity, UserDoc, Verification},
};
use crate::{
    app::App,
    db::StoreError,
    limits::{self, Count, LimitError},
    values::{
        cart::CartDoc,
        email::Email,
        ids::{CartId, UserId},
        invalid::InvalidField,
        limits::Action,
        phone::{E164, Region},
        role::Role,
        time::Timestamp,
    },
};

/// The maximum number of attempts of an insert whose name, number or address was taken a moment ago and is free now.
const ATTEMPTS: usize = 3;

/// The unchecked fields of a sign-up.
#[derive(Debug)]
pub struct Application {
    /// The username.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Password>,
    /// The phone number in any spelling.
    pub phone_number: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// A new account whose fields keep all rules.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its name and contacts.
    pub identity: Identity,
    /// The password.
    pub password: NewPassword,
}

/// The name and contacts of an account.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The username.
    pub username: Username,
    /// The phone number.
    pub phone_number: Option<E164>,
    /// The e-mail address.
    pub email: Option<Email>,
}

/// The reason why no account is made.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// A field is missing or breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidField),
    /// Another account has this number.
    #[error("phone number already registered")]
    PhoneTaken,
    /// Another account has this name.
    #[error("username already taken")]
    UsernameTaken,
    /// Another account has this address, and the right to keep it.
    #[error("email already registered")]
    EmailTaken,
    /// Too many accounts were made from this IP address.
    #[error(transparent)]
    Limited(#[from] LimitError),
    /// The password could not be hashed, or is easy to guess.
    #[error(transparent)]
    Hashing(#[from] HashError),
    /// The database call failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TakenIdentity> for RegisterError {
    fn from(taken: TakenIdentity) -> Self {
        match taken {
            TakenIdentity::Phone => Self::PhoneTaken,
            TakenIdentity::Username => Self::UsernameTaken,
            TakenIdentity::Email => Self::EmailTaken,
        }
    }
}

impl NewAccount {
    /// Checks everything that can be checked without the database. Empty fields count as missing. An account needs a
    /// number or an address. Numbers without a country code belong to `region`.
    pub fn check(application: Application, region: Region) -> Result<Self, InvalidField> {
        let non_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
        let username = non_empty(application.username).ok_or_else(|| InvalidField::required("username"))?;
        let non_empty_password = application.password.filter(|password| !password.expose().is_empty());
        let typed_password = non_empty_password.ok_or_else(|| InvalidField::required("password"))?;
        let (phone_number, email) = (non_empty(application.phone_number), non_empty(application.email));
        if phone_number.is_none() && email.is_none() {
            return Err(InvalidField::required("phone_number"));
        }
        let identity = Identity::parse(&username, phone_number.as_deref(), email.as_deref(), region)?;
        Ok(Self { identity, password: NewPassword::check("password", &typed_password)? })
    }
}

/// Makes the account of a customer and signs its owner in. The account and its session are stored together.
pub async fn register(app: &App, account: NewAccount, context: &ClientContext) -> Result<SignedIn, RegisterError> {
    limits::take(app, Count::by_address(Action::Register, "", context.client)).await?;
    let now = app.clock.now();
    let session = sessions::begin(app, context, Role::Customer, Carrier::CookieAndBody, now);
    let user = create(app, account, Role::Customer, vec![session.clone()], now, &context.caller).await?;
    Ok(sessions::tokens(app, user.into(), &session, now))
}

/// Makes the account of an admin, for the command line. No limit applies.
pub async fn create_admin(app: &App, account: NewAccount) -> Result<UserId, RegisterError> {
    let now = app.clock.now();
    Ok(create(app, account, Role::Admin, Vec::new(), now, &CallerPresence::default()).await?.id)
}

async fn create(
    app: &App,
    account: NewAccount,
    role: Role,
    sessions: Vec<SessionDoc>,
    now: Timestamp,
    caller: &CallerPresence,
) -> Result<UserDoc, RegisterError> {
    refuse_taken(app, &account.identity).await?;
    let hash = app.hasher.hash(account.password.clone(), account.identity.owner_details(), caller).await?;
    let user = new_document(account.identity.clone(), hash, role, sessions, now);
    for _ in 0..ATTEMPTS {
        match app.store.users.insert(&user, now).await {
            // Another account got the name, number or address first. It may have been deleted since: then try again.
            Err(StoreError::Duplicate) => refuse_taken(app, &account.identity).await?,
            inserted => return Ok(inserted.map(|()| user)?),
        }
    }
    Err(StoreError::Duplicate.into())
}

/// Fails if another account has the right to keep the number, name or address of a new one.
pub async fn refuse_taken(app: &App, identity: &Identity) -> Result<(), RegisterError> {
    let (number, username) = (identity.phone_number.as_ref(), identity.username.key());
    let desired = DesiredIdentity { number, username: Some(&username), email: identity.email.as_ref() };
    match app.store.users.find_taken(desired, None, app.clock.now()).await? {
        Some(taken) => Err(taken.into()),
        None => Ok(()),
    }
}

impl Identity {
    /// Checks a name, a number and an address. Numbers without a country code belong to `region`.
    fn parse(
        username: &str,
        phone_number: Option<&str>,
        email: Option<&str>,
        region: Region,
    ) -> Result<Self, InvalidField> {
        let parse_number = |text: &str| {
            E164::parse(text, region).map_err(|why| InvalidField::because("phone_number", "phone number", why))
        };
        let parse_email = |text: &str| Email::parse(text).map_err(|why| InvalidField::because("email", "email", why));
        Ok(Self {
            username: Username::parse(username).map_err(|why| InvalidField::because("username", "username", why))?,
            phone_number: phone_number.map(parse_number).transpose()?,
            email: email.map(parse_email).transpose()?,
        })
    }

    /// Returns the words that somebody who knows the owner would try first as the password.
    pub fn owner_details(&self) -> OwnerDetails {
        OwnerDetails::new(&self.username, self.phone_number.as_ref(), self.email.as_ref())
    }
}

/// Inserts many accounts in one call. Their names, numbers and addresses must be free.
pub async fn insert_many(app: &App, users: &[UserDoc]) -> Result<(), StoreError> {
    app.store.users.insert_many(users).await
}

/// Makes the document of a new account, with an empty cart and unproven contacts.
pub fn new_document(
    identity: Identity,
    password_hash: PasswordHash,
    role: Role,
    sessions: Vec<SessionDoc>,
    now: Timestamp,
) -> UserDoc {
    let phone = identity.phone_number.clone().map(|number| ProfilePhone { number, created_at: now });
    UserDoc {
        id: UserId::new(),
        username_key: identity.username.key(),
        username: identity.username,
        phone_number: identity.phone_number,
        email: identity.email,
        password_hash,
        role,
        is_active: true,
        profile: Profile { phone, ..Profile::default() },
        verification: Verification::default(),
        cart: CartDoc { id: CartId::new(), items: Vec::new(), created_at: now, updated_at: now },
        last_sign_in_at: sessions.last().map(|session| session.signed_in_at),
        sessions,
        created_at: now,
        updated_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(username: &str, password: &str, phone: &str, email: &str) -> Result<(), String> {
        let field = |text: &str| Some(text.to_owned());
        let application = Application {
            username: field(username),
            password: Some(Password::new(password.to_owned())),
            phone_number: field(phone),
            email: field(email),
        };
        let checked = NewAccount::check(application, "IN".parse().expect("region"));
        checked.map(|_| ()).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn a_number_or_an_address_is_enough() {
        assert_eq!(check("john", "Str0ng!pass", "9876543210", ""), Ok(()));
        assert_eq!(check("john", "Str0ng!pass", "", "john@example.com"), Ok(()));
        assert_eq!(check("john", "Str0ng!pass", "", ""), Err("phone_number is required".to_owned()));
    }

    #[test]
    fn the_first_fault_is_told_in_the_words_that_frontends_know() {
        let error_of = |result: Result<(), String>| result.expect_err("a fault");
        assert_eq!(error_of(check("", "", "", "")), "username is required");
        assert_eq!(error_of(check("john", "", "", "")), "password is required");
        assert_eq!(error_of(check("jo", "x", "1", "")), "invalid username: username too long/short");
        assert_eq!(error_of(check("john", "x", "1", "")), "invalid phone number: must be 10-15 digits");
        assert_eq!(error_of(check("john", "x", "9876543210", "")), "invalid password: password too long/short");
    }
}
