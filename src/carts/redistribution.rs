//! Sharing a stock out that doesn't suffice any more (U4). All of it bears being done twice and by two at once.

use super::store::plans::{PlanDoc, Planned, Planner, Redistribution};
use crate::{app::App, db::StoreError, values::ids::ProductId};

/// Carries out what was planned before a crash: as planned, whatever the stock is by now.
pub async fn finish(app: &App) -> Result<(), StoreError> {
    while let Some(plan) = app.store.plans.oldest().await? {
        let missed = carry_out(app, &plan).await?;
        let lines = plan.lines.len();
        tracing::info!(product = %plan.product_id, stock = plan.stock, lines, missed, "a redistribution that was cut off is done");
    }
    Ok(())
}

/// Shares out the stock of those products, among some or among all, of which carts hold more than there is. Returns
/// those that must be looked at again, since lines were changed by their owners between the plan and its turn.
pub async fn settle(
    app: &App,
    planner: &mut Planner,
    among: Option<&[ProductId]>,
) -> Result<Vec<ProductId>, StoreError> {
    let (mut unsettled, mut outcome) = (Vec::new(), Ok(()));
    for product in app.store.carts.products_held_above_stock(among).await? {
        match share_out(app, planner, product).await {
            Ok(true) => {}
            Ok(false) => unsettled.push(product),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            // One product that fails doesn't keep the others from their turn.
            Err(error) => outcome = Err(error),
        }
    }
    outcome.map(|()| unsettled)
}

/// False when the product must be looked at again.
async fn share_out(app: &App, planner: &mut Planner, product: ProductId) -> Result<bool, StoreError> {
    match planner.make(product, &app.trail(None)).await? {
        Planned::Enough => Ok(true),
        Planned::UnderWay => {
            finish(app).await?;
            Ok(false)
        }
        Planned::Made(Redistribution { plans, stock, asked }) => {
            let (mut lines, mut missed) = (0, 0);
            for plan in &plans {
                lines += plan.lines.len();
                missed += carry_out(app, plan).await?;
            }
            tracing::info!(%product, stock, asked, lines, missed, "stock redistributed among carts");
            Ok(missed == 0)
        }
    }
}

/// Gives each line its share; returns how many lines were not as planned any more.
async fn carry_out(app: &App, plan: &PlanDoc) -> Result<usize, StoreError> {
    let missed = app.store.carts.clamp_lines(plan.product_id, &plan.lines).await?;
    app.store.plans.remove(plan).await?;
    Ok(missed)
}
