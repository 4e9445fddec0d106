//! The collection `plans`: redistributions under way (U4). A plan is made in one transaction with the entry in the
//! audits, carried out line by line, and removed; one that a crash cut off is carried out as it was planned.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{Client, ClientSession, Collection, error::Result};
use serde::{Deserialize, Serialize};

use super::Carts;
use super::HeldLine;
use crate::{
    audits::store::{Audits, Trail},
    carts::share_out::share_out,
    db::{
        StoreError,
        leases::{Lease, Leases},
        schema::{Connection, Layout, StorePart, unique},
        transaction::transact_on_snapshot,
    },
    values::{
        codes::FullCode,
        ids::{AuditId, LineRev, ProductId, UserId},
    },
};

const NAME: &str = "plans";
/// Lines of one document.
const CHUNK: usize = 10_000;

/// A redistribution of one product, or a part of one that has very many lines.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: PlanId,
    /// The product.
    pub product_id: ProductId,
    /// Its stock when the plan was made; 0 when the product was gone.
    pub stock: i64,
    /// The lines that change.
    pub lines: Vec<PlannedLine>,
}

/// Which redistribution, and which part of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PlanId {
    /// The redistribution: the id of its entry in the audits.
    pub redistribution: AuditId,
    /// From 0.
    pub part: i32,
}

/// What becomes of one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedLine {
    /// Whose cart.
    pub user: UserId,
    /// The state of the line that the plan is about.
    pub rev: LineRev,
    /// Pieces in it.
    pub asked: i64,
    /// Pieces that are left to it; with 0 it goes.
    pub share: i64,
}

/// What became of planning.
#[derive(Debug)]
pub enum Planned {
    /// The stock suffices for all carts.
    Enough,
    /// An earlier plan for the product comes first.
    UnderWay,
    /// To be carried out.
    Made(Redistribution),
}

/// A stock that doesn't suffice, shared out.
#[derive(Debug)]
pub struct Redistribution {
    /// Its parts.
    pub plans: Vec<PlanDoc>,
    /// Pieces that there are.
    pub stock: i64,
    /// Pieces that the carts held.
    pub asked: i64,
}

#[derive(Deserialize)]
struct Stocked {
    stock: i64,
    code: FullCode,
}

/// The collection, and those that planning reads.
#[derive(Clone)]
pub struct Plans {
    client: Client,
    docs: Collection<PlanDoc>,
    products: Collection<Stocked>,
    carts: Carts,
    audits: Audits,
    leases: Leases,
}

/// Makes plans, one after the other, in a session of its own.
pub struct Planner {
    stores: Plans,
    session: ClientSession,
}

impl Planner {
    /// Compares a product's stock with what the carts hold, both as they are now; when it doesn't suffice, plans who
    /// keeps what and writes it to the audits.
    pub async fn make(&mut self, product: ProductId, trail: &Trail) -> std::result::Result<Planned, StoreError> {
        let (stores, trail) = (self.stores.clone(), trail.clone());
        let made = transact_on_snapshot(&mut self.session, move |tx| {
            let (stores, trail) = (stores.clone(), trail.clone());
            async move { stores.make_in(tx, product, &trail).await }.boxed()
        });
        match made.await {
            Err(StoreError::Duplicate) => Ok(Planned::UnderWay),
            made => made,
        }
    }
}

impl StorePart for Plans {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            docs: connection.collection(NAME),
            products: connection.collection("products"),
            carts: Carts::open(connection),
            audits: Audits::open(connection),
            leases: Leases::open(connection),
        }
    }

    fn layout() -> Option<Layout> {
        // One redistribution of a product at a time, even if two processes believe that they have the lease.
        let one_at_a_time = unique("product_part", doc! { "product_id": 1, "_id.part": 1 });
        Some(Layout { collection: NAME, indexes: vec![one_at_a_time], validator: doc! {} })
    }
}

impl Plans {
    /// A planner of whom nobody else knows.
    pub async fn planner(&self) -> std::result::Result<Planner, StoreError> {
        Ok(Planner { stores: self.clone(), session: self.client.start_session().await? })
    }

    /// The planner of a lease's holder; `None` when somebody else has the lease by now. A predecessor that was killed
    /// within a transaction would keep others from planning for its product until the database gives it up, after a
    /// minute: its session is ended. So is that of one which only believes to have the lease still.
    pub async fn planner_of(&self, lease: Lease) -> std::result::Result<Option<Planner>, StoreError> {
        let planner = self.planner().await?;
        let Some(predecessor) = self.leases.name_session(lease, planner.session.id()).await? else { return Ok(None) };
        if let Some(session) = predecessor {
            let ended = self.client.database("admin").run_command(doc! { "killSessions": [session] }).await;
            if let Err(error) = ended.map_err(StoreError::from) {
                tracing::warn!(%error, "what a predecessor may have left open is not ended: it ends by itself");
            }
        }
        Ok(Some(planner))
    }

    async fn make_in(&self, tx: &mut ClientSession, product: ProductId, trail: &Trail) -> Result<Planned> {
        let ids = self.docs.clone_with_type::<Document>();
        let under_way = ids.find_one(doc! { "product_id": product }).projection(doc! { "_id": 1 });
        if under_way.session(&mut *tx).await?.is_some() {
            return Ok(Planned::UnderWay);
        }
        let fields = doc! { "stock": 1, "code": 1 };
        let found = self.products.find_one(doc! { "_id": product }).projection(fields).session(&mut *tx).await?;
        let stock = found.as_ref().map_or(0, |product| product.stock.max(0));
        let lines = self.carts.lines_of(product, tx).await?;
        let asked: i64 = lines.iter().map(|line| line.quantity).sum();
        if asked <= stock {
            return Ok(Planned::Enough);
        }
        let lines = share(stock, &lines);
        let redistribution = AuditId::new();
        let entry = trail.entry("products", "stock_redistribution", product).identified(redistribution);
        let entry = found.iter().fold(entry, |entry, product| entry.coded(&product.code));
        let plans = in_parts(redistribution, product, stock, &lines);
        let changes = doc! { "stock": stock, "asked": asked, "lines": i64::try_from(lines.len()).unwrap_or(i64::MAX) };
        self.docs.insert_many(&plans).session(&mut *tx).await?;
        self.audits.append_in(tx, entry.describing(changes)).await?;
        Ok(Planned::Made(Redistribution { plans, stock, asked }))
    }

    /// The oldest plan that is not carried out yet.
    pub async fn oldest(&self) -> std::result::Result<Option<PlanDoc>, StoreError> {
        Ok(self.docs.find_one(doc! {}).sort(doc! { "_id": 1 }).await?)
    }

    /// Takes out a plan that was carried out.
    pub async fn remove(&self, plan: &PlanDoc) -> std::result::Result<(), StoreError> {
        let id = bson::serialize_to_bson(&plan.id).map_err(mongodb::error::Error::from)?;
        self.docs.delete_one(doc! { "_id": id }).await?;
        Ok(())
    }
}

/// Who keeps what; lines that keep all of it are left out.
fn share(stock: i64, lines: &[HeldLine]) -> Vec<PlannedLine> {
    let asked: Vec<u64> = lines.iter().map(|line| u64::try_from(line.quantity).unwrap_or(0)).collect();
    let shares = share_out(stock, &asked).into_iter().map(|share| i64::try_from(share).unwrap_or(i64::MAX));
    let planned = lines.iter().zip(shares).map(|(line, share)| PlannedLine {
        user: line.user,
        rev: line.rev,
        asked: line.quantity,
        share,
    });
    planned.filter(|line| line.share != line.asked).collect()
}

fn in_parts(redistribution: AuditId, product_id: ProductId, stock: i64, lines: &[PlannedLine]) -> Vec<PlanDoc> {
    let part = |(part, lines): (i32, &[PlannedLine])| PlanDoc {
        id: PlanId { redistribution, part },
        product_id,
        stock,
        lines: lines.to_vec(),
    };
    (0..).zip(lines.chunks(CHUNK)).map(part).collect()
}
