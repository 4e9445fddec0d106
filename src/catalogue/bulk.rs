//! Changing many products with one request.
//!
//! The request makes a plan, which names the products, and then changes them in batches. A batch and the progress of
//! the plan are one transaction. So a request that is sent again, at any moment and to any instance, goes on where the
//! first one stopped, and no product is changed twice.
//!
//! A product that can't be read, or that the database refuses to store, makes its whole batch fail. Such a
//! batch is halved until the product is alone, and only that product stays as it is.

use std::{collections::BTreeSet, time::Duration};

pub use super::store::bulk_plans::BulkFailure;
use super::{
    OfferChange,
    rules::product_filter::ProductFilter,
    store::{
        bulk_plans::{BATCH, BulkProgress, PlanPart, PlannedProduct},
        product_filter::matching,
        products::{ProductDoc, with_codes},
        tree::{BulkOutcome, is_changed},
    },
};
use crate::{
    app::App,
    db::StoreError,
    idempotency::{self, Begun, KeyError, KeyedRequest, Turn},
    values::{
        author::Author,
        codes::FullCode,
        ids::KeyedRequestId,
        money::{Money, PercentShift},
    },
};

/// The most products that one request changes.
pub const MOST_PRODUCTS: usize = 10_000;
/// How much longer a plan is kept than the key of its request, which shows it to repeats.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// Which products are changed.
#[derive(Debug)]
pub enum BulkSelection {
    /// Those with these full codes.
    Codes(BTreeSet<FullCode>),
    /// Those that meet all conditions. There is at least one.
    Filter(Box<ProductFilter>),
}

/// What is done with each product.
#[derive(Debug)]
pub enum BulkChange {
    /// Sets whether customers can see it.
    Visibility(bool),
    /// Raises or lowers its price.
    Price(PercentShift),
    /// Sets or removes its offer.
    Offer(OfferChange),
    /// Deletes it.
    Delete,
}

/// A change of many products.
#[derive(Debug)]
pub struct BulkRequest {
    pub selection: BulkSelection,
    pub change: BulkChange,
}

/// What became of the products.
#[derive(Debug)]
pub struct BulkReport {
    /// Number of products that were chosen.
    pub matched: u64,
    /// Number of those that are different now, or gone.
    pub changed: u64,
    /// Number of those that were like that before.
    pub unchanged: u64,
    /// Products that stay as they are, and codes that no product has.
    pub failed: Vec<BulkFailure>,
    /// Whether the request was done before, and this is only shown again.
    pub is_repeat: bool,
}

/// Why nothing was changed, or not everything yet.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// More than [`MOST_PRODUCTS`] products meet the conditions.
    #[error("too many products match, narrow the filter")]
    TooMany,
    /// The request can't be done under its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What a repeat should be shown is gone.
    #[error("something went wrong on our side")]
    PlanLost,
    /// The database could not answer. What is left is done when the request is sent again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes many products, and writes an entry to the audits for each. `keyed` says whether this was done before.
pub async fn change_products(
    app: &App,
    author: &Author,
    keyed: &KeyedRequest,
    request: &BulkRequest,
) -> Result<BulkReport, BulkError> {
    let turn = match idempotency::begin(app, keyed).await? {
        Begun::Done(id) => return Ok(BulkReport::of(progress(app, id).await?, true)),
        Begun::Turn(turn) => turn,
    };
    match carry_out(app, author, &turn, request).await {
        Ok(report) => Ok(report),
        Err(refusal @ BulkError::TooMany) => {
            turn.forget(app).await;
            Err(refusal)
        }
        Err(failure) => {
            turn.release(app).await;
            Err(failure)
        }
    }
}

/// Returns what [`change_products`] would do, and changes nothing.
pub async fn rehearse(app: &App, request: &BulkRequest) -> Result<BulkReport, BulkError> {
    let (planned, mut failed) = choose(app, &request.selection).await?;
    let (mut changed, mut unchanged) = (0, 0);
    for batch in planned.chunks(usize::try_from(BATCH).unwrap_or(MOST_PRODUCTS)) {
        for product in read_batch(app, batch, &mut failed).await? {
            match request.change.outcome(&product) {
                Ok(after) if is_changed(&product, after.as_ref()).map_err(StoreError::from)? => changed += 1,
                Ok(_) => unchanged += 1,
                Err(error) => failed.push(BulkFailure { code: product.code, error }),
            }
        }
    }
    Ok(BulkReport { matched: planned.len() as u64, changed, unchanged, failed, is_repeat: false })
}

/// Returns those of the products that still exist. One that can't be read is added to `failed`.
async fn read_batch(
    app: &App,
    batch: &[PlannedProduct],
    failed: &mut Vec<BulkFailure>,
) -> Result<Vec<ProductDoc>, StoreError> {
    match app.store.products.planned(batch).await {
        Err(error) if !error.concerns_all() => {}
        outcome => return outcome,
    }
    let mut products = Vec::new();
    for planned in batch.chunks(1) {
        match app.store.products.planned(planned).await {
            Err(error) if !error.concerns_all() => {
                failed.extend(planned.iter().map(|product| BulkFailure::damaged(product.code.clone())));
            }
            outcome => products.extend(outcome?),
        }
    }
    Ok(products)
}

async fn carry_out(app: &App, author: &Author, turn: &Turn, request: &BulkRequest) -> Result<BulkReport, BulkError> {
    let id = turn.request;
    if app.store.bulk_plans.progress(id).await?.is_none() {
        let (planned, failed) = choose(app, &request.selection).await?;
        let expires_at = app.clock.now().after(idempotency::LIFETIME + MARGIN);
        app.store.bulk_plans.begin(id, planned, failed, expires_at).await?;
    }
    let mut size = BATCH;
    loop {
        let progress = progress(app, id).await?;
        if progress.is_complete() {
            turn.finish(app).await?;
            return Ok(BulkReport::of(progress, false));
        }
        size = carry_out_part(app, author, id, PlanPart { from: progress.next, size }, request).await?;
    }
}

/// Changes the next products of a plan, or leaves out the one that can't be changed. Returns how many to take next:
/// half as many if one of these is damaged, so that it is soon alone.
async fn carry_out_part(
    app: &App,
    author: &Author,
    plan: KeyedRequestId,
    part: PlanPart,
    request: &BulkRequest,
) -> Result<i64, StoreError> {
    let change = |product: &ProductDoc| request.change.outcome(product);
    match app.store.tree.change_batch(plan, part, change, &app.trail(Some(author))).await {
        Ok(changed) => changed.into_iter().flatten().for_each(|part| app.catalogue.mark_changed(&part)),
        // A repeat of the request tries again what others were changing all the time.
        Err(error) if error.concerns_all() || matches!(error, StoreError::Contended) => return Err(error),
        Err(_) if part.size > 1 => return Ok(part.size / 2),
        Err(error) => {
            tracing::error!(%error, "a product is damaged and was left out of a bulk change");
            app.store.tree.skip_damaged(plan, part.from).await?;
        }
    }
    Ok((part.size * 2).min(BATCH))
}

/// Returns the products that are chosen, and the codes that no product has.
async fn choose(app: &App, selection: &BulkSelection) -> Result<(Vec<PlannedProduct>, Vec<BulkFailure>), BulkError> {
    match selection {
        BulkSelection::Codes(codes) => {
            let found = app.store.products.choose(with_codes(codes), codes.len()).await?;
            let existing: BTreeSet<&FullCode> = found.iter().map(|product| &product.code).collect();
            let missing = codes.iter().filter(|code| !existing.contains(code)).cloned();
            let missing = missing.map(BulkFailure::not_found).collect();
            Ok((found, missing))
        }
        BulkSelection::Filter(filter) => {
            let found = app.store.products.choose(matching(filter), MOST_PRODUCTS + 1).await?;
            if found.len() > MOST_PRODUCTS {
                return Err(BulkError::TooMany);
            }
            Ok((found, Vec::new()))
        }
    }
}

async fn progress(app: &App, id: KeyedRequestId) -> Result<BulkProgress, BulkError> {
    app.store.bulk_plans.progress(id).await?.ok_or(BulkError::PlanLost)
}

impl BulkReport {
    fn of(progress: BulkProgress, is_repeat: bool) -> Self {
        let BulkProgress { total, changed, unchanged, failed, .. } = progress;
        let [matched, changed, unchanged] = [total, changed, unchanged].map(|count| u64::try_from(count).unwrap_or(0));
        Self { matched, changed, unchanged, failed, is_repeat }
    }
}

impl BulkChange {
    /// Returns what becomes of a product.
    fn outcome(&self, product: &ProductDoc) -> BulkOutcome {
        let mut after = product.clone();
        match self {
            Self::Delete => return Ok(None),
            Self::Visibility(is_active) => after.is_active = *is_active,
            Self::Offer(change) => after.offer = change.offer(),
            Self::Price(shift) => after.price = within_limits(product.price.shifted(*shift))?,
        }
        Ok(Some(after))
    }
}

fn within_limits(price: Money) -> Result<Money, String> {
    if price <= Money::MAX_PRICE { Ok(price) } else { Err(format!("the price would exceed {}", Money::MAX_PRICE)) }
}
