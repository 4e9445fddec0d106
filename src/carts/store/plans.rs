//! The collection `plans`: redistributions that are not finished (U4).
//!
//! A plan is made in one transaction with its entry in the audits. Then it is carried out line by line and removed. A
//! plan that is left after a crash is carried out as it is.

use bson::{Document, doc};
use futures_util::FutureExt;
use mongodb::{Client, ClientSession, Collection, error::Result};
use serde::{Deserialize, Serialize};

use super::{Carts, HeldLine};
use crate::{
    audits::{
        operation::AuditOperation,
        store::{Audits, Trail},
        subject::AuditSubject,
    },
    carts::share_out::share_out,
    catalogue::store::PRODUCTS,
    db::{
        StoreError,
        leases::{Lease, Leases, SavedSession},
        schema::{Connection, Layout, StorePart, unique},
        transaction::transact_on_snapshot,
    },
    values::{
        codes::FullCode,
        ids::{AuditId, LineRev, ProductId, UserId},
    },
};

const NAME: &str = "plans";
/// How many lines one document holds at most.
const LINES_PER_PLAN: usize = 10_000;

/// The plan for one product, or a part of it if very many lines change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanDoc {
    #[serde(rename = "_id")]
    pub id: PlanId,
    pub product_id: ProductId,
    /// The stock when the plan was made; 0 if the product was deleted.
    pub stock: i64,
    /// The lines that change.
    pub lines: Vec<PlannedLine>,
}

/// The id of a plan: the redistribution, and the part of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PlanId {
    /// The id of the redistribution, which is also the id of its entry in the audits.
    pub redistribution: AuditId,
    /// The number of the part, from 0.
    pub part: i32,
}

/// The planned change of one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedLine {
    /// The owner of the cart.
    pub user: UserId,
    /// The state in which the line must be. A line in another state is not changed.
    pub rev: LineRev,
    /// The pieces in the line before.
    pub asked: i64,
    /// The pieces in the line afterwards; 0 removes the line.
    pub share: i64,
}

/// The outcome of planning.
#[derive(Debug)]
pub enum PlanOutcome {
    /// The stock is enough for all carts.
    Enough,
    /// There is an earlier plan for the product, which must be carried out first.
    UnderWay,
    /// A plan was made and must be carried out.
    Made(Redistribution),
}

/// A stock that is too small, and its new distribution.
#[derive(Debug)]
pub struct Redistribution {
    /// The parts of the plan.
    pub plans: Vec<PlanDoc>,
    /// The pieces in stock.
    pub stock: i64,
    /// The pieces that all carts held together.
    pub asked: i64,
}

#[derive(Deserialize)]
struct StockedProduct {
    stock: i64,
    code: FullCode,
}

/// The collection `plans`, and the collections that planning reads.
#[derive(Clone)]
pub struct Plans {
    client: Client,
    docs: Collection<PlanDoc>,
    products: Collection<StockedProduct>,
    carts: Carts,
    audits: Audits,
    leases: Leases,
}

/// Makes plans one after the other, in a database session of its own.
pub struct Planner {
    plans: Plans,
    session: ClientSession,
}

impl Planner {
    /// Compares the stock of a product with what all carts hold, and makes a plan if the stock is too small.
    ///
    /// Stock and carts are read at the same moment. The plan and its entry in the audits are written in the same
    /// transaction.
    pub async fn make_plan(
        &mut self,
        product: ProductId,
        trail: &Trail,
    ) -> std::result::Result<PlanOutcome, StoreError> {
        let planning = transact_on_snapshot(&mut self.session, (&self.plans, trail), move |tx, &(plans, trail)| {
            async move { plans.make_plan_in(tx, product, trail).await }.boxed()
        });
        match planning.await {
            Err(StoreError::Duplicate) => Ok(PlanOutcome::UnderWay),
            outcome => outcome,
        }
    }
}

impl StorePart for Plans {
    fn open(connection: &Connection) -> Self {
        Self {
            client: connection.client.clone(),
            docs: connection.collection(NAME),
            products: connection.collection(PRODUCTS),
            carts: Carts::open(connection),
            audits: Audits::open(connection),
            leases: Leases::open(connection),
        }
    }

    fn layout() -> Option<Layout> {
        // Allows one redistribution of a product at a time, even if two processes believe that they hold the lease.
        let one_at_a_time = unique("product_part", doc! { "product_id": 1, "_id.part": 1 });
        Some(Layout { collection: NAME, indexes: vec![one_at_a_time], validator: doc! {} })
    }
}

impl Plans {
    /// Creates a planner with a session of its own, for use without a lease.
    pub(in crate::carts) async fn planner_without_lease(&self) -> std::result::Result<Planner, StoreError> {
        Ok(Planner { plans: self.clone(), session: self.client.start_session().await? })
    }

    /// Creates the planner of the lease's holder; `None` if another process holds the lease by now.
    ///
    /// It also ends the session of the holder before. If that process was killed in the middle of a transaction, the
    /// database would keep the transaction open for a minute, and nobody else could plan for the same product. The open
    /// transaction of a process that is still running and wrongly believes that it holds the lease is ended in the same
    /// way.
    pub(in crate::carts) async fn planner_for_lease(
        &self,
        lease: Lease,
    ) -> std::result::Result<Option<Planner>, StoreError> {
        let planner = self.planner_without_lease().await?;
        let saved = self.leases.save_session(lease, planner.session.id()).await?;
        let SavedSession::Saved { previous } = saved else { return Ok(None) };
        if let Some(session) = previous {
            let ended = self.client.database("admin").run_command(doc! { "killSessions": [session] }).await;
            if let Err(error) = ended.map_err(StoreError::from) {
                tracing::warn!(%error, "what a predecessor may have left open is not ended: it ends by itself");
            }
        }
        Ok(Some(planner))
    }

    /// Makes a plan inside a transaction, see [`Planner::make_plan`].
    async fn make_plan_in(&self, tx: &mut ClientSession, product_id: ProductId, trail: &Trail) -> Result<PlanOutcome> {
        if self.has_plan_in(tx, product_id).await? {
            return Ok(PlanOutcome::UnderWay);
        }
        let fields = doc! { "stock": 1, "code": 1 };
        let query = self.products.find_one(doc! { "_id": product_id }).projection(fields);
        let product = query.session(&mut *tx).await?;
        let stock = product.as_ref().map_or(0, |product| product.stock.max(0));
        let held_lines = self.carts.lines_of(product_id, tx).await?;
        let asked: i64 = held_lines.iter().map(|line| line.quantity).sum();
        if asked <= stock {
            return Ok(PlanOutcome::Enough);
        }
        let lines = planned_lines(stock, &held_lines);
        let redistribution = AuditId::new();
        let plans = split_into_parts(redistribution, product_id, stock, &lines);
        self.docs.insert_many(&plans).session(&mut *tx).await?;
        let changes = doc! { "stock": stock, "asked": asked, "lines": i64::try_from(lines.len()).unwrap_or(i64::MAX) };
        let mut entry = trail
            .entry(AuditSubject::Products, AuditOperation::StockRedistribution, product_id)
            .with_id(redistribution);
        if let Some(product) = &product {
            entry = entry.with_code(&product.code);
        }
        self.audits.append_in(tx, entry.with_changes(changes)).await?;
        Ok(PlanOutcome::Made(Redistribution { plans, stock, asked }))
    }

    /// Returns whether there is a plan for a product that is not carried out yet.
    async fn has_plan_in(&self, tx: &mut ClientSession, product: ProductId) -> Result<bool> {
        let docs = self.docs.clone_with_type::<Document>();
        let plan = docs.find_one(doc! { "product_id": product }).projection(doc! { "_id": 1 }).session(tx).await?;
        Ok(plan.is_some())
    }

    /// Returns the oldest plan that is not carried out yet; `None` if there is none.
    pub(in crate::carts) async fn oldest(&self) -> std::result::Result<Option<PlanDoc>, StoreError> {
        Ok(self.docs.find_one(doc! {}).sort(doc! { "_id": 1 }).await?)
    }

    /// Removes a plan that was carried out.
    pub(in crate::carts) async fn remove(&self, plan: &PlanDoc) -> std::result::Result<(), StoreError> {
        let id = bson::serialize_to_bson(&plan.id).map_err(mongodb::error::Error::from)?;
        self.docs.delete_one(doc! { "_id": id }).await?;
        Ok(())
    }
}

/// Works out the share of each line. Lines that keep all of their pieces are left out.
fn planned_lines(stock: i64, lines: &[HeldLine]) -> Vec<PlannedLine> {
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

/// Splits a plan into documents of at most [`LINES_PER_PLAN`] lines.
fn split_into_parts(redistribution: AuditId, product_id: ProductId, stock: i64, lines: &[PlannedLine]) -> Vec<PlanDoc> {
    let plan = |(part, lines_of_part): (i32, &[PlannedLine])| PlanDoc {
        id: PlanId { redistribution, part },
        product_id,
        stock,
        lines: lines_of_part.to_vec(),
    };
    (0..).zip(lines.chunks(LINES_PER_PLAN)).map(plan).collect()
}
