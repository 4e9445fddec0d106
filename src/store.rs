//! The database: one file a collection, with its documents, indexes and queries. Nothing else talks to MongoDB.

pub mod audits;
pub mod branches;
mod bulk;
pub mod catalogue_changes;
mod error;
mod health;
pub mod image_trash;
pub mod invitations;
mod layout;
pub mod leases;
pub mod links;
mod locks;
mod openings;
pub mod otp_codes;
pub mod otp_tallies;
pub mod outbox;
pub mod pending_registrations;
pub mod plans;
mod probe;
pub mod product_changes;
mod product_search;
pub mod products;
pub mod proofs;
pub mod rate_limits;
mod search;
mod transaction;
pub mod tree;
pub mod users;

use std::{sync::Arc, time::Duration};

use bson::{Document, doc};
use mongodb::{
    Client, Collection, Database,
    options::{Acknowledgment, ClientOptions, Hint, ReadPreference, WriteConcern},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use self::{
    audits::Audits,
    branches::{Branches, Brand, Category, Model},
    image_trash::ImageTrash,
    invitations::Invitations,
    layout::{Layout, index, swept, unique},
    leases::Leases,
    links::Links,
    otp_codes::OtpCodes,
    otp_tallies::OtpTallies,
    outbox::Outbox,
    pending_registrations::PendingRegistrations,
    plans::Plans,
    probe::Probe,
    product_changes::ProductWatch,
    products::Products,
    proofs::Proofs,
    rate_limits::RateLimits,
    tree::Tree,
    users::Users,
};
pub use self::{
    error::{StoreError, brief},
    health::Health,
};
use crate::domain::{codes::FullCode, search::literal};

/// Connections to the database. 10 to 16 are best on a small machine: 100 halve the throughput.
const POOL_SIZE: u32 = 16;
/// How long a call waits for a reachable primary before it is answered 503. A quick election passes; a database that is
/// gone must not hold every call up.
const SELECTION_LIMIT: Duration = Duration::from_secs(1);
/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Calls that would wait longer for a connection are refused at once.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long the database may look for a text. No index helps to find the middle of a word.
const SEARCH_LIMIT: Duration = Duration::from_secs(2);

/// All collections, sharing one pool of connections.
#[derive(Clone)]
pub struct Store {
    client: Client,
    database: Database,
    /// Whether the database is there, and how busy it is.
    pub health: Arc<Health>,
    probe: Arc<Probe>,
    /// What happened.
    pub audits: Audits,
    /// Accounts with their sessions and carts.
    pub users: Users,
    /// Vehicle brands.
    pub brands: Branches<Brand>,
    /// Models below brands.
    pub models: Branches<Model>,
    /// Categories below models.
    pub categories: Branches<Category>,
    /// Products below categories.
    pub products: Products,
    /// Writes to the four levels.
    pub tree: Tree,
    /// What happens to products.
    pub product_watch: ProductWatch,
    /// Redistributions under way.
    pub plans: Plans,
    /// Codes that were sent.
    pub otp_codes: OtpCodes,
    /// Tries without a code of one's own.
    pub otp_tallies: OtpTallies,
    /// Accounts that wait for their code.
    pub pending_registrations: PendingRegistrations,
    /// Who did what how often.
    pub rate_limits: RateLimits,
    /// Mails that are to be sent.
    pub outbox: Outbox,
    /// Who works in the background.
    pub leases: Leases,
    /// Links that were mailed.
    pub links: Links,
    /// Who may become staff.
    pub invitations: Invitations,
    /// Images that are to be removed.
    pub image_trash: ImageTrash,
    /// What links bring about.
    pub proofs: Proofs,
}

impl Store {
    /// Opens the pool. Nothing is sent yet: see [`Store::prepare`].
    pub async fn connect(uri: &SecretString, name: &str) -> Result<Self, StoreError> {
        let mut options = ClientOptions::parse(uri.expose_secret()).await?;
        options.app_name = Some("myspares".to_owned());
        options.max_pool_size = Some(POOL_SIZE);
        options.server_selection_timeout = Some(SELECTION_LIMIT);
        options.connect_timeout = Some(CONNECT_LIMIT);
        // What is acknowledged survives a crash and a failover.
        options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
        // Sessions, stock and carts are decided on what is read: never on a secondary's older state.
        options.selection_criteria = Some(ReadPreference::Primary.into());
        let probe = Arc::new(Probe::new(&options, name)?);
        let health = Health::new(POOL_SIZE);
        health.listen(&mut options);
        let client = Client::with_options(options)?;
        let database = client.database(name);
        Ok(Self {
            audits: Audits::new(&database),
            users: Users::new(&client, &database),
            brands: Branches::new(&database),
            models: Branches::new(&database),
            categories: Branches::new(&database),
            products: Products::new(&database),
            tree: Tree::new(&client, &database),
            product_watch: ProductWatch::new(&database),
            plans: Plans::new(&client, &database),
            otp_codes: OtpCodes::new(&database),
            otp_tallies: OtpTallies::new(&database),
            pending_registrations: PendingRegistrations::new(&database),
            rate_limits: RateLimits::new(&database),
            outbox: Outbox::new(&database),
            leases: Leases::new(&database),
            links: Links::new(&database),
            invitations: Invitations::new(&client, &database),
            image_trash: ImageTrash::new(&database),
            proofs: Proofs::new(&client, &database),
            client,
            database,
            health,
            probe,
        })
    }

    /// Asks whether the database answers, whatever else is asked of it: within a second.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.probe.ask().await
    }

    /// Refuses a call that would wait too long for a connection.
    pub fn admit(&self) -> Result<(), StoreError> {
        if self.health.expected_wait() > LONGEST_WAIT { Err(StoreError::Overloaded) } else { Ok(()) }
    }

    /// Refuses a call at once where it would wait for a primary.
    pub fn require_primary(&self) -> Result<(), StoreError> {
        if self.health.is_gone() { Err(StoreError::no_primary()) } else { Ok(()) }
    }

    /// Closes every connection, once nothing uses them any more.
    pub async fn close(self) {
        self.probe.close().await;
        self.client.shutdown().await;
    }
}

/// The part of one document that a question needs.
async fn find_part<T, P>(docs: &Collection<T>, filter: Document, fields: Document) -> Result<Option<P>, StoreError>
where
    T: Send + Sync,
    P: DeserializeOwned + Send + Sync,
{
    Ok(docs.clone_with_type::<P>().find_one(filter).projection(fields).await?)
}

/// How many documents there are, counted over the index that holds nothing but their ids.
async fn count_all<T: Send + Sync>(docs: &Collection<T>) -> Result<u64, StoreError> {
    let by_id = Hint::Name("_id_".to_owned());
    Ok(docs.count_documents(doc! {}).hint(by_id).max_time(SEARCH_LIMIT).await?)
}

/// Matches texts that contain `text`, which is no pattern.
fn containing(text: &str) -> Document {
    doc! { "$regex": literal(text) }
}

/// Everything below a branch: its codes begin with the branch's and a `-`, which `.` follows in ASCII.
fn code_below(branch: &FullCode) -> Document {
    doc! { "code": { "$gt": format!("{branch}-"), "$lt": format!("{branch}.") } }
}
