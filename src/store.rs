//! The connection to the database, and the list of all collections. The documents, indexes and queries of a collection
//! are in the folder of its subject, such as `accounts/store/`.

use std::{sync::Arc, time::Duration};

use bson::doc;
use mongodb::{
    Client,
    options::{Acknowledgment, ClientOptions, ReadPreference, WriteConcern},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    accounts::store::{
        Users, invitations::Invitations, links::Links, otp_codes::OtpCodes, otp_tallies::OtpTallies,
        pending_registrations::PendingRegistrations, proofs::Proofs,
    },
    audits::store::Audits,
    carts::store::{Carts, plans::Plans, stock_changes::ProductWatch},
    catalogue::store::{
        branches::{Branches, Brand, Category, Model},
        bulk_plans::BulkPlans,
        catalogue_changes::CatalogueWatch,
        products::Products,
        tree::Tree,
    },
    db::{
        StoreError,
        health::Health,
        leases::Leases,
        locks::Locks,
        probe::Probe,
        schema::{Connection, Layout, StorePart},
    },
    idempotency::store::IdempotencyKeys,
    images::store::{ImageFiles, ImageTrash},
    limits::store::RateLimits,
    mail::store::Outbox,
    privacy::store::Deletions,
};

/// The most connections to the database. On a small machine, 10 to 16 are best; with 100, the throughput is half as
/// high.
const POOL_SIZE: u32 = 16;
/// Time for which a call waits for a reachable primary before it is answered 503. It is long enough for a quick
/// election, and short enough that calls don't pile up while the database is gone.
const SELECTION_LIMIT: Duration = Duration::from_secs(1);
/// The longest time for opening a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The longest time for which a call may wait for a connection. A call that would wait longer is refused at once.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Declares the parts of the store. Each becomes a field of [`Store`]. It is opened with the others, and when the
/// server starts, its collection gets the layout that it declares.
macro_rules! collections {
    ($($(#[$doc:meta])* $field:ident: $part:ty,)+) => {
        /// All collections, which share one pool of connections. Clones share it too.
        #[derive(Clone)]
        pub struct Store {
            pub(crate) connection: Connection,
            /// Whether the database can be reached, and how busy its connections are.
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

            /// Returns the layouts of all collections.
            pub(crate) fn layouts() -> Vec<Layout> {
                [$(<$part as StorePart>::layout(),)+].into_iter().flatten().collect()
            }

            /// Updates documents of older versions and creates those that must exist; see [`StorePart::complete`].
            pub(crate) async fn complete(&self) -> Result<(), StoreError> {
                $(self.$field.complete().await?;)+
                Ok(())
            }
        }
    };
}

collections! {
    /// Entries about what happened and who did it.
    audits: Audits,
    /// Accounts with their sessions.
    users: Users,
    /// Carts, which are stored inside the accounts.
    carts: Carts,
    /// Vehicle brands.
    brands: Branches<Brand>,
    /// Models below brands.
    models: Branches<Model>,
    /// Categories below models.
    categories: Branches<Category>,
    /// Products below categories.
    products: Products,
    /// Writes to brands, models, categories and products.
    tree: Tree,
    /// The stream of changes of brands, models, categories and products.
    catalogue_watch: CatalogueWatch,
    /// The stream of changes of products that may affect carts.
    product_watch: ProductWatch,
    /// Plans by which carts are reduced to a stock that has fallen.
    plans: Plans,
    /// One-time codes that were sent.
    otp_codes: OtpCodes,
    /// Counts of tries that belong to a number and not to a code.
    otp_tallies: OtpTallies,
    /// Accounts that wait for the code sent to their number.
    pending_registrations: PendingRegistrations,
    /// Times at which limited actions were done.
    rate_limits: RateLimits,
    /// Mails that are to be sent.
    outbox: Outbox,
    /// Processes that currently do background work.
    leases: Leases,
    /// Documents that transactions touch to exclude each other.
    locks: Locks,
    /// Links that were mailed.
    links: Links,
    /// Invitations to become staff.
    invitations: Invitations,
    /// Images that are to be removed.
    image_trash: ImageTrash,
    /// Images that documents show.
    image_files: ImageFiles,
    /// Keys of requests that may be sent again.
    idempotency_keys: IdempotencyKeys,
    /// Changes of many products that are being made, or were made lately.
    bulk_plans: BulkPlans,
    /// Deletions of accounts.
    deletions: Deletions,
    /// Transactions that links in mails start.
    proofs: Proofs,
}

impl Store {
    /// Opens the pool of connections to the database called `name`. Doesn't wait for the database; [`Store::prepare`]
    /// does. Fails if `uri` is invalid or its DNS records can't be read.
    pub async fn connect(uri: &SecretString, name: &str) -> Result<Self, StoreError> {
        let mut options = ClientOptions::parse(uri.expose_secret()).await?;
        options.app_name = Some("myspares".to_owned());
        options.max_pool_size = Some(POOL_SIZE);
        options.server_selection_timeout = Some(SELECTION_LIMIT);
        options.connect_timeout = Some(CONNECT_LIMIT);
        // A write that was acknowledged survives a crash and a failover.
        options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
        // Decisions about sessions, stock and carts depend on reads, and a secondary may return older data.
        options.selection_criteria = Some(ReadPreference::Primary.into());
        let probe = Probe::new(&options, name)?;
        let health = Health::new(POOL_SIZE);
        health.listen(&mut options);
        let client = Client::with_options(options)?;
        let database = client.database(name);
        Ok(Self::open(Connection { client, database }, health, probe))
    }

    /// Checks whether the database answers within a second, on a connection of its own; see
    /// [`Probe`].
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.probe.ask().await
    }

    /// Fails with [`StoreError::Overloaded`] if a call would now wait more than two seconds for a connection.
    pub fn admit(&self) -> Result<(), StoreError> {
        if self.health.expected_wait() > LONGEST_WAIT { Err(StoreError::Overloaded) } else { Ok(()) }
    }

    /// Fails with [`StoreError::Unavailable`] if the database is known not to answer, so that a call need not wait to
    /// find out.
    pub fn require_primary(&self) -> Result<(), StoreError> {
        if self.health.is_gone() { Err(StoreError::no_primary()) } else { Ok(()) }
    }

    /// Closes all connections. Waits until the sessions and cursors that are still open are dropped.
    pub async fn close(self) {
        self.probe.close().await;
        self.connection.client.shutdown().await;
    }
}
