//! Redistribution: when the stock of a product is less than all carts hold, the carts share it (U4).
//!
//! Each step may be done twice, and two processes may do it at the same time, without any harm.

use super::store::plans::{PlanDoc, PlanOutcome, Planner, Redistribution};
use crate::{app::App, db::StoreError, values::ids::ProductId};

/// What is left to do for a product after its stock was compared with the carts.
enum Progress {
    /// Nothing. The carts hold no more than there is.
    Settled,
    /// The product must be looked at again.
    Unsettled,
}

/// Carries out all plans that a crash has left. They are carried out as planned, whatever the stock is by now.
///
/// The caller then compares the carts with the stock again.
pub async fn finish_plans(app: &App) -> Result<(), StoreError> {
    while let Some(plan) = app.store.plans.oldest().await? {
        let missed = carry_out(app, &plan).await?;
        let lines = plan.lines.len();
        tracing::info!(product = %plan.product_id, stock = plan.stock, lines, missed, "a redistribution that was cut off is done");
    }
    Ok(())
}

/// Redistributes the stock of the products of which carts hold more than there is.
///
/// Looks at the products in `among`, or at all products for `None`. Returns the products that must be looked at again,
/// because owners changed lines after the plan was made. If one product fails, the others still get their turn before
/// the error is returned; only an unavailable database ends the call at once.
pub async fn redistribute(
    app: &App,
    planner: &mut Planner,
    among: Option<&[ProductId]>,
) -> Result<Vec<ProductId>, StoreError> {
    let (mut unsettled, mut last_error) = (Vec::new(), None);
    for product in app.store.carts.products_held_above_stock(among).await? {
        match redistribute_product(app, planner, product).await {
            Ok(Progress::Settled) => {}
            Ok(Progress::Unsettled) => unsettled.push(product),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            // One product that fails must not hold up the others.
            Err(error) => last_error = Some(error),
        }
    }
    last_error.map_or(Ok(unsettled), Err)
}

async fn redistribute_product(app: &App, planner: &mut Planner, product: ProductId) -> Result<Progress, StoreError> {
    match planner.make_plan(product, &app.trail(None)).await? {
        PlanOutcome::Enough => Ok(Progress::Settled),
        PlanOutcome::UnderWay => {
            finish_plans(app).await?;
            Ok(Progress::Unsettled)
        }
        PlanOutcome::Made(Redistribution { plans, stock, asked }) => {
            let (mut lines, mut missed) = (0, 0);
            for plan in &plans {
                lines += plan.lines.len();
                missed += carry_out(app, plan).await?;
            }
            tracing::info!(%product, stock, asked, lines, missed, "stock redistributed among carts");
            Ok(if missed == 0 { Progress::Settled } else { Progress::Unsettled })
        }
    }
}

/// Sets each line of a plan to its share and removes the plan. Returns how many lines were not as planned any more.
async fn carry_out(app: &App, plan: &PlanDoc) -> Result<usize, StoreError> {
    let missed = app.store.carts.clamp_lines(plan.product_id, &plan.lines).await?;
    app.store.plans.remove(plan).await?;
    Ok(missed)
}
