//! The collection `users`. One document holds the whole account, so that one round trip to the database is enough for
//! most requests.

pub mod account_keys;
mod admin;
mod contacts;
mod documents;
pub mod invitations;
pub mod links;
mod numbers;
pub mod otp_codes;
pub mod otp_tallies;
pub mod pending_registrations;
mod pictures;
mod profile;
pub mod proofs;
mod records;
mod recovery;
mod resets;
mod sessions;

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{
    Client, ClientSession, Collection, IndexModel,
    options::{IndexOptions, UpdateModifications},
};

use self::account_keys::AccountKeys;
pub use self::{
    admin::{UserChange, UserChangeOutcome},
    documents::{
        Account, Address, Credentials, Display, Member, Profile, ProfilePhone, SessionDoc, UserDoc, Verification,
        Verified, WholeAccount,
    },
    numbers::DesiredIdentity,
    profile::{AccountChange, EmailChange, PhotoChange, Proof},
    records::{UserOrder, UserPlace, UserQuery, UserRecord, UserText},
    recovery::Recoverable,
    sessions::{Refreshable, RotationTimes, SessionChange},
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
    images::store::{ImageTrash, image_indexes},
    limits::store::RateLimits,
    mail::store::Outbox,
    values::{
        cart::MAX_STORED_LINES,
        email::Email,
        ids::{SessionRef, UserId},
        phone::E164,
        time::Timestamp,
    },
};

/// The name of the collection.
pub const USERS: &str = "users";
/// The maximum number of sessions of one account. A new session replaces the one that was not used for longest.
const MAX_SESSIONS: i32 = 10;

/// Makes an index that is unique among the documents that have the field. The filter is not `$exists` or `$type`,
/// because then the query planner would not see that the index fits an equality, and a sign-in would scan the whole
/// collection.
fn unique_where_present(field: &str) -> IndexModel {
    let is_present = doc! { field: { "$gt": "" } };
    let options =
        IndexOptions::builder().name(field.to_owned()).unique(true).partial_filter_expression(is_present).build();
    IndexModel::builder().keys(doc! { field: 1 }).options(options).build()
}

/// Makes an index of the admins only. They are few among many accounts.
fn admins() -> IndexModel {
    let is_admin = doc! { "role": "admin" };
    let options = IndexOptions::builder().name("admins".to_owned()).partial_filter_expression(is_admin).build();
    IndexModel::builder().keys(doc! { "role": 1 }).options(options).build()
}

/// Makes an index of the removed addresses that still count for some days. They are few among many accounts.
fn removed_emails() -> IndexModel {
    let options = IndexOptions::builder().name("removed_email".to_owned()).sparse(true).build();
    IndexModel::builder().keys(doc! { "verification.email.until": 1 }).options(options).build()
}

/// Makes an index to find the carts that hold a product. Empty carts are not in it.
fn lines_of_products() -> IndexModel {
    let options = IndexOptions::builder().name("cart_product".to_owned()).sparse(true).build();
    IndexModel::builder().keys(doc! { "cart.items.product_id": 1 }).options(options).build()
}

/// The collection, and the other collections that its transactions write to.
#[derive(Clone)]
pub struct Users {
    client: Client,
    docs: Collection<UserDoc>,
    trash: ImageTrash,
    audits: Audits,
    locks: Locks,
    limits: RateLimits,
    account_keys: AccountKeys,
    outbox: Outbox,
}

/// What an account is found by at a sign-in.
#[derive(Debug, Clone)]
pub enum Identifier {
    /// Its phone number.
    Phone(E164),
    /// Its e-mail address.
    Email(Email),
    /// Its username, in upper or lower case.
    Username(UsernameKey),
}

/// What another account has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenIdentity {
    /// The phone number.
    Phone,
    /// The username.
    Username,
    /// The e-mail address.
    Email,
}

/// The result of a transaction that changes an account.
enum ChangeOutcome {
    /// The account after the change; `None` when no account matched.
    Done(Option<Box<Account>>),
    /// Another account keeps the name, the number or the address.
    Taken,
    /// The new picture is being removed, or is gone.
    PictureGone,
}

impl ChangeOutcome {
    fn done(account: Option<Account>) -> Self {
        Self::Done(account.map(Box::new))
    }

    fn into_result(self) -> Result<Option<Account>, StoreError> {
        match self {
            Self::Done(account) => Ok(account.map(|account| *account)),
            Self::Taken => Err(StoreError::Duplicate),
            Self::PictureGone => Err(StoreError::Contended),
        }
    }
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
            account_keys: AccountKeys::open(connection),
            outbox: Outbox::open(connection),
        }
    }

    fn layout() -> Option<Layout> {
        Some(Layout {
            collection: USERS,
            indexes: [
                unique("username", doc! { "username_key": 1 }),
                index("created_at", doc! { "created_at": 1, "_id": 1 }),
                index("role_created_at", doc! { "role": 1, "created_at": 1, "_id": 1 }),
                index("role_username", doc! { "role": 1, "username_key": 1 }),
                index("is_active_created_at", doc! { "is_active": 1, "created_at": 1, "_id": 1 }),
                index("is_active_username", doc! { "is_active": 1, "username_key": 1 }),
                unique_where_present("phone_number"),
                unique_where_present("email"),
                index("proven_email", doc! { "verification.email.value": 1 }),
                removed_emails(),
                admins(),
                lines_of_products(),
            ]
            .into_iter()
            .chain(image_indexes(USERS))
            .collect(),
            validator: doc! { "$jsonSchema": {
                "required": ["username", "username_key", "password_hash", "role", "is_active", "cart", "sessions"],
                "properties": {
                    "phone_number": { "bsonType": "string", "pattern": "^\\+[0-9]{10,15}$" },
                    "email": { "bsonType": "string" },
                    "role": { "enum": ["customer", "staff", "admin"] },
                    "is_active": { "bsonType": "bool" },
                    "sessions": { "bsonType": "array", "maxItems": MAX_SESSIONS },
                    "cart": { "bsonType": "object", "required": ["items"], "properties": {
                        "items": { "bsonType": "array", "maxItems": MAX_STORED_LINES },
                    } },
                },
            } },
        })
    }
}

impl Users {
    /// Inserts many accounts in one call.
    pub(in crate::accounts) async fn insert_many(&self, users: &[UserDoc]) -> Result<(), StoreError> {
        self.docs.insert_many(users).await?;
        Ok(())
    }

    /// Returns the account with an identifier, and its password hash.
    pub(in crate::accounts) async fn credentials(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<Credentials>, StoreError> {
        find_part(&self.docs, identifier.filter(), Credentials::projection()).await
    }

    /// Returns an account by its id, and its password hash.
    pub(in crate::accounts) async fn credentials_of(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        find_part(&self.docs, doc! { "_id": user }, Credentials::projection()).await
    }

    /// Returns whether a session is alive: it has not been ended, and its account is active.
    pub(in crate::accounts) async fn is_alive(&self, session: SessionRef) -> Result<bool, StoreError> {
        self.exists(alive(session)).await
    }

    /// Returns the id, name and role of the account of a session; `None` when the session is not alive.
    pub(in crate::accounts) async fn member(&self, session: SessionRef) -> Result<Option<Member>, StoreError> {
        find_part(&self.docs, alive(session), Member::projection()).await
    }

    /// Returns the account of a session; `None` when the session is not alive.
    pub(in crate::accounts) async fn account(&self, session: SessionRef) -> Result<Option<Account>, StoreError> {
        find_part(&self.docs, alive(session), Account::projection()).await
    }

    /// Returns the account of a session with its cart and the sessions that have not expired; `None` when the session
    /// is not alive.
    pub(in crate::accounts) async fn whole_account(
        &self,
        session: SessionRef,
        now: Timestamp,
    ) -> Result<Option<WholeAccount>, StoreError> {
        let mut found: Option<WholeAccount> = find_part(&self.docs, alive(session), WholeAccount::projection()).await?;
        if let Some(account) = &mut found {
            account.sessions.retain(|session| session.expires_at > now);
        }
        Ok(found)
    }

    /// Replaces the password hash by a new one of the same password. Does nothing if the stored hash is not `old` any
    /// more.
    pub(in crate::accounts) async fn replace_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let filter = doc! { "_id": user, "is_active": true, "password_hash": old };
        self.docs.update_one(filter, doc! { "$set": { "password_hash": new } }).await?;
        Ok(())
    }

    async fn exists(&self, filter: Document) -> Result<bool, StoreError> {
        let found: Option<Document> = find_part(&self.docs, filter, doc! { "_id": 1 }).await?;
        Ok(found.is_some())
    }

    /// Updates an account and voids the links and codes that were sent to its owner, in one transaction. Returns the
    /// account after the update; `None` when `filter` matches no account.
    async fn update_and_void(
        &self,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> Result<Option<Account>, StoreError> {
        let update = update.into();
        transact(&self.client, (self, &filter, &update), move |tx, &(users, filter, update)| {
            async move { users.update_and_void_in(tx, filter.clone(), update.clone()).await }.boxed()
        })
        .await
    }

    /// Does the same as `update_and_void`, in a transaction that the caller has begun.
    pub(in crate::accounts) async fn update_and_void_in(
        &self,
        tx: &mut ClientSession,
        filter: Document,
        update: impl Into<UpdateModifications>,
    ) -> mongodb::error::Result<Option<Account>> {
        let changed = self.change_in(tx, filter, update).await?;
        if let Some(account) = &changed {
            self.account_keys.void_in(tx, account.id).await?;
        }
        Ok(changed)
    }
}

/// Returns the filter by which a caller is signed in: the account is active and has this session. The filter does not
/// look at the time: no access token outlives its session, and a refresh checks the time itself.
pub(crate) fn alive(session: SessionRef) -> Document {
    doc! { "_id": session.user, "is_active": true, "sessions._id": session.session }
}
