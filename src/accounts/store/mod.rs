//! The collection `users`: one document holds the whole account, so that one round trip answers most requests.

mod admin;
pub(crate) mod contacts;
mod documents;
pub mod invitations;
pub mod links;
mod numbers;
pub mod openings;
pub mod otp_codes;
pub mod otp_tallies;
pub mod pending_registrations;
mod pictures;
mod profile;
pub mod proofs;
mod records;
mod recovery;
pub(crate) mod resets;
mod sessions;

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{
    Client, ClientSession, Collection, IndexModel,
    options::{IndexOptions, UpdateModifications},
};

use self::openings::Openings;
pub use self::{
    admin::{UserChange, UserChanged},
    documents::{
        Account, Address, Credentials, Display, Member, Profile, ProfilePhone, SessionDoc, UserDoc, Verification,
        Verified, WholeAccount,
    },
    numbers::Wishes,
    profile::{AccountChange, EmailChange, PhotoChange, Proof},
    records::{UserQuery, UserRecord},
    recovery::Recoverable,
    sessions::{Refreshable, Rotation, Turn},
};
use super::rules::{password::PasswordHash, username::UsernameKey};
use crate::{
    audits::store::Audits,
    db::{
        StoreError,
        locks::Locks,
        query::find_part,
        schema::{Connection, Layout, StorePart, index, unique},
        transaction::transact,
    },
    images::store::ImageTrash,
    limits::store::RateLimits,
    mail::store::Outbox,
    values::{
        cart::MAX_LINES,
        email::Email,
        ids::{SessionRef, UserId},
        phone::E164,
        time::Timestamp,
    },
};

/// The collection's name.
pub const USERS: &str = "users";
/// Sessions of one account; the oldest goes when there are more.
const MAX_SESSIONS: i32 = 10;

/// Unique among the documents that have the field. With `$exists` or `$type` in the filter a sign-in would scan the
/// whole collection, since the planner couldn't tell that an equality implies it.
fn unique_where_present(field: &str) -> IndexModel {
    let present = doc! { field: { "$gt": "" } };
    let options =
        IndexOptions::builder().name(field.to_owned()).unique(true).partial_filter_expression(present).build();
    IndexModel::builder().keys(doc! { field: 1 }).options(options).build()
}

/// Those who run the accounts: few among many.
fn admins() -> IndexModel {
    let only = doc! { "role": "admin" };
    let options = IndexOptions::builder().name("admins".to_owned()).partial_filter_expression(only).build();
    IndexModel::builder().keys(doc! { "role": 1 }).options(options).build()
}

/// Addresses that were removed and still count for a while: few among many.
fn removed_emails() -> IndexModel {
    let options = IndexOptions::builder().name("removed_email".to_owned()).sparse(true).build();
    IndexModel::builder().keys(doc! { "verification.email.until": 1 }).options(options).build()
}

/// Whose cart holds a product; empty carts are not in it.
fn lines_of_products() -> IndexModel {
    let options = IndexOptions::builder().name("cart_product".to_owned()).sparse(true).build();
    IndexModel::builder().keys(doc! { "cart.items.product_id": 1 }).options(options).build()
}

/// The collection, and what its transactions touch besides.
#[derive(Clone)]
pub struct Users {
    client: Client,
    docs: Collection<UserDoc>,
    trash: ImageTrash,
    audits: Audits,
    locks: Locks,
    limits: RateLimits,
    openings: Openings,
    outbox: Outbox,
}

/// What an account is looked up by at sign-in.
#[derive(Debug, Clone)]
pub enum Identifier {
    /// Its phone number.
    Phone(E164),
    /// Its e-mail address.
    Email(Email),
    /// Its username in any case.
    Username(UsernameKey),
}

/// A name, number or address that another account has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The phone number.
    Phone,
    /// The username.
    Username,
    /// The e-mail address.
    Email,
}

impl Identifier {
    fn filter(&self) -> Document {
        match self {
            Self::Phone(number) => doc! { "phone_number": number },
            Self::Email(address) => doc! { "email": address.as_stored() },
            Self::Username(key) => doc! { "username_key": key },
        }
    }
}

impl StorePart for Users {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            docs: connection.collection(USERS),
            trash: ImageTrash::open(connection),
            audits: Audits::open(connection),
            locks: Locks::open(connection),
            limits: RateLimits::open(connection),
            openings: Openings::open(connection),
            outbox: Outbox::open(connection),
        }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: USERS,
            indexes: vec![
                unique("username", doc! { "username_key": 1 }),
                unique_where_present("phone_number"),
                unique_where_present("email"),
                index("proven_email", doc! { "verification.email.value": 1 }),
                removed_emails(),
                admins(),
                lines_of_products(),
            ],
            validator: doc! { "$jsonSchema": {
                "required": ["username", "username_key", "password_hash", "role", "is_active", "cart", "sessions"],
                "properties": {
                    "phone_number": { "bsonType": "string", "pattern": "^\\+[0-9]{10,15}$" },
                    "email": { "bsonType": "string" },
                    "role": { "enum": ["customer", "staff", "admin"] },
                    "is_active": { "bsonType": "bool" },
                    "sessions": { "bsonType": "array", "maxItems": MAX_SESSIONS },
                    "cart": { "bsonType": "object", "required": ["items"], "properties": {
                        "items": { "bsonType": "array", "maxItems": MAX_LINES },
                    } },
                },
            } },
        })
    }
}

impl Users {
    /// Inserts many accounts.
    pub async fn insert_many(&self, users: &[UserDoc]) -> Result<(), StoreError> {
        self.docs.insert_many(users).await?;
        Ok(())
    }

    /// What a sign-in needs of an account.
    pub async fn credentials(&self, identifier: &Identifier) -> Result<Option<Credentials>, StoreError> {
        find_part(&self.docs, identifier.filter(), Credentials::projection()).await
    }

    /// What a confirmation by password needs of an account.
    pub async fn credentials_of(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        find_part(&self.docs, doc! { "_id": user }, Credentials::projection()).await
    }

    /// Whether a session is alive.
    pub async fn is_alive(&self, session: SessionRef) -> Result<bool, StoreError> {
        self.exists(alive(session)).await
    }

    /// Who is behind a living session.
    pub async fn member(&self, session: SessionRef) -> Result<Option<Member>, StoreError> {
        find_part(&self.docs, alive(session), Member::projection()).await
    }

    /// The account behind a living session.
    pub async fn account(&self, session: SessionRef) -> Result<Option<Account>, StoreError> {
        find_part(&self.docs, alive(session), Account::projection()).await
    }

    /// The account behind a living session with its living sessions and its cart.
    pub async fn whole(&self, session: SessionRef, now: Timestamp) -> Result<Option<WholeAccount>, StoreError> {
        let found: Option<WholeAccount> = find_part(&self.docs, alive(session), WholeAccount::projection()).await?;
        Ok(found.map(|mut whole| {
            whole.sessions.retain(|session| session.expires_at > now);
            whole
        }))
    }

    /// Replaces a hash by another one of the same password, if it is still the one that was checked.
    pub async fn replace_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError> {
        let filter = doc! { "_id": user, "is_active": true, "password_hash": old };
        self.docs.update_one(filter, doc! { "$set": { "password_hash": new } }).await?;
        Ok(())
    }

    async fn exists(&self, filter: Document) -> Result<bool, StoreError> {
        let found: Option<Document> = find_part(&self.docs, filter, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    /// Makes an update after which nothing opens the account that was mailed or sent before, and returns the account as it
    /// is then; `None` when `filter` finds none.
    async fn update_and_void(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> Result<Option<Account>, StoreError> {
        let (users, update) = (self.clone(), update.into());
        transact(&self.client, move |tx| {
            let (users, filter, update) = (users.clone(), filter.clone(), update.clone());
            async move { users.update_and_void_in(tx, filter, update).await }.boxed()
        })
        .await
    }

    /// The same in a transaction that does more.
    pub(crate) async fn update_and_void_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> mongodb::error::Result<Option<Account>> {
        let changed = self.change_in(tx, filter, update).await?;
        if let Some(account) = &changed {
            self.openings.void_in(tx, account.id).await?;
        }
        Ok(changed)
    }
}

/// The filter that signs a caller in: the account is active and has the very session.
pub(crate) fn alive(session: SessionRef) -> Document {
    doc! { "_id": session.user, "is_active": true, "sessions._id": session.session }
}
