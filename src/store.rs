//! The database: one file a collection, with its documents, indexes and queries. Nothing else talks to MongoDB.

use std::{sync::Arc, time::Duration};

use bson::doc;
use mongodb::{
    Client,
    options::{Acknowledgment, ClientOptions, ReadPreference, WriteConcern},
};
use secrecy::{ExposeSecret, SecretString};

pub use crate::db::{error::StoreError, health::Health};
use crate::{
    accounts::store::{
        Users, invitations::Invitations, links::Links, otp_codes::OtpCodes, otp_tallies::OtpTallies,
        pending_registrations::PendingRegistrations, proofs::Proofs,
    },
    audits::store::Audits,
    carts::store::{Carts, plans::Plans, stock_changes::ProductWatch},
    catalogue::store::{
        branches::{Branches, Brand, Category, Model},
        catalogue_changes::CatalogueWatch,
        products::Products,
        tree::Tree,
    },
    db::{
        leases::Leases,
        locks::Locks,
        probe::Probe,
        schema::{Connection, Layout, StorePart},
    },
    images::store::ImageTrash,
    limits::store::RateLimits,
    mail::store::Outbox,
};

/// Connections to the database. 10 to 16 are best on a small machine: 100 halve the throughput.
const POOL_SIZE: u32 = 16;
/// How long a call waits for a reachable primary before it is answered 503. A quick election passes; a database that is
/// gone must not hold every call up.
const SELECTION_LIMIT: Duration = Duration::from_secs(1);
/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Calls that would wait longer for a connection are refused at once.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Declares the parts of the store: for each a field of [`Store`], which is opened with the others and whose layout is
/// among those that a start brings about.
macro_rules! collections {
    ($($(#[$doc:meta])* $field:ident: $part:ty,)+) => {
        /// All collections, sharing one pool of connections.
        #[derive(Clone)]
        pub struct Store {
            pub(crate) connection: Connection,
            /// Whether the database is there, and how busy it is.
            pub health: Arc<Health>,
            probe: Arc<Probe>,
            $($(#[$doc])* pub(crate) $field: $part,)+
        }

        impl Store {
            fn open(connection: Connection, health: Arc<Health>, probe: Probe) -> Self {
                Self {
                    $($field: <$part as StorePart>::open(&connection),)+
                    connection,
                    health,
                    probe: Arc::new(probe),
                }
            }

            /// What each collection needs before it is used.
            pub(crate) fn layouts() -> Vec<Layout> {
                [$(<$part as StorePart>::layout(),)+].into_iter().flatten().collect()
            }

            /// Completes the documents of each part.
            pub(crate) async fn complete(&self) -> Result<(), StoreError> {
                $(self.$field.complete().await?;)+
                Ok(())
            }
        }
    };
}

collections! {
    /// What happened.
    audits: Audits,
    /// Accounts with their sessions.
    users: Users,
    /// The carts inside the accounts.
    carts: Carts,
    /// Vehicle brands.
    brands: Branches<Brand>,
    /// Models below brands.
    models: Branches<Model>,
    /// Categories below models.
    categories: Branches<Category>,
    /// Products below categories.
    products: Products,
    /// Writes to the four levels.
    tree: Tree,
    /// Changes of the four levels.
    catalogue_watch: CatalogueWatch,
    /// Changes of products that may concern carts.
    product_watch: ProductWatch,
    /// Redistributions under way.
    plans: Plans,
    /// Codes that were sent.
    otp_codes: OtpCodes,
    /// Tries without a code of one's own.
    otp_tallies: OtpTallies,
    /// Accounts that wait for their code.
    pending_registrations: PendingRegistrations,
    /// Who did what how often.
    rate_limits: RateLimits,
    /// Mails that are to be sent.
    outbox: Outbox,
    /// Who works in the background.
    leases: Leases,
    /// Documents that transactions touch to exclude each other.
    locks: Locks,
    /// Links that were mailed.
    links: Links,
    /// Who may become staff.
    invitations: Invitations,
    /// Images that are to be removed.
    image_trash: ImageTrash,
    /// What links bring about.
    proofs: Proofs,
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
        let probe = Probe::new(&options, name)?;
        let health = Health::new(POOL_SIZE);
        health.listen(&mut options);
        let client = Client::with_options(options)?;
        let database = client.database(name);
        Ok(Self::open(Connection { client, database }, health, probe))
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
        self.connection.client.shutdown().await;
    }
}
