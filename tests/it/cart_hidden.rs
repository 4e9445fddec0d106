//! Carts with lines of products that are hidden or deleted.

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::Value;

use crate::support::{Caller, Reply, TestApp, id_of, stable};

/// Returns how many lines an answer shows: those that can be bought, and those that are unavailable.
fn shown(reply: &Reply) -> [usize; 2] {
    ["items", "unavailable"].map(|list| reply["cart"][list].as_array().expect("lines").len())
}

/// Hides a product, or shows it again, and waits until customers see that.
async fn set_active(app: &TestApp, product: &Value, is_active: bool) {
    app.change_product(product, doc! { "$set": { "is_active": is_active } }).await;
}

#[tokio::test]
async fn lines_of_hidden_products_are_shown_apart_and_come_back() {
    let app = TestApp::start().await;
    let (kept, hidden) = (app.product(10.0, 5).await, app.product(20.0, 5).await);
    let caller = app.customer().await;
    caller.add(&hidden, 3).await.expect(200);
    let before = caller.add(&kept, 1).await.expect(200);
    set_active(&app, &hidden, false).await;
    let reply = caller.get(&caller.cart()).await.expect(200);
    assert_eq!((shown(&reply), reply["cart"]["subtotal"].to_string()), ([1, 1], "10".to_owned()));
    assert_json_snapshot!(stable(&reply["cart"]["unavailable"]), @r#"
    [
      {
        "product_id": "[id]",
        "product_name": "Front brake pad",
        "quantity": 3
      }
    ]
    "#);
    assert_eq!(reply["cart"]["unavailable"][0]["product_id"], hidden["_id"]);
    assert_eq!(shown(&caller.set(&kept, 2).await.expect(200)), [1, 1]);
    caller.set(&hidden, 1).await.refused(404, "product not found");
    set_active(&app, &hidden, true).await;
    caller.set(&kept, 1).await.expect(200);
    assert_eq!(caller.get(&caller.cart()).await.expect(200)["cart"]["items"], before["cart"]["items"]);
    set_active(&app, &hidden, false).await;
    assert_eq!(shown(&caller.set(&hidden, 0).await.expect(200)), [1, 0]);
}

#[tokio::test]
async fn hidden_lines_leave_room_for_a_hundred_others() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 50).await;
    let new = app.products_like(&product, 3, true).await;
    // Hidden lines, visible lines, and how many of three new products still find a place.
    for (hidden, visible, places) in [(0, 100, 0), (60, 98, 2), (100, 99, 1), (100, 100, 0), (150, 49, 1), (200, 0, 0)]
    {
        let caller = app.customer().await;
        let lines =
            [app.products_like(&product, hidden, false).await, app.products_like(&product, visible, true).await];
        app.fill_cart(&caller, lines.iter().flatten()).await;
        for (n, product) in new.iter().enumerate() {
            let reply = caller.add(product, 1).await;
            if n < places {
                assert_eq!(shown(&reply.expect(200)), [visible + n + 1, hidden]);
            } else {
                reply.refused(409, "cart is full");
            }
        }
        let read = caller.get(&caller.cart()).await.expect(200);
        assert_eq!(shown(&read), [visible + places, hidden], "{hidden} hidden and {visible} visible lines");
        // A full cart still changes the lines that it has.
        if visible > 0 {
            assert_eq!(caller.add(&lines[1][0], 4).await.expect(200)["cart"]["items"][0]["quantity"], 5);
        }
    }
}

#[tokio::test]
async fn products_that_are_shown_again_may_overfill_a_cart_which_then_only_shrinks() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 50).await;
    let caller = app.customer().await;
    let hidden = app.products_like(&product, 50, false).await;
    app.fill_cart(&caller, hidden.iter().chain(&app.products_like(&product, 99, true).await)).await;
    caller.add(&product, 1).await.expect(200);
    let ids: Vec<_> = hidden.iter().map(id_of).collect();
    let show = doc! { "$set": { "is_active": true } };
    app.products().update_many(doc! { "_id": { "$in": ids } }, show).await.expect("shown again");
    app.until_shown(&caller, [150, 0]).await;
    let new = app.products_like(&product, 1, true).await.remove(0);
    caller.set(&new, 1).await.refused(409, "cart is full");
    assert_eq!(caller.set(&product, 7).await.expect(200)["cart"]["items"][149]["quantity"], 7);
    for hidden in &hidden {
        caller.set(hidden, 0).await.expect(200);
    }
    caller.set(&new, 1).await.refused(409, "cart is full");
    caller.set(&product, 0).await.expect(200);
    assert_eq!(shown(&caller.set(&new, 1).await.expect(200)), [100, 0]);
}

#[tokio::test]
async fn lines_of_deleted_products_make_place_for_others() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 50).await;
    let [hidden, visible, deleted] =
        [(30, false), (99, true), (71, true)].map(|(count, active)| app.products_like(&product, count, active));
    let (hidden, visible, deleted) = (hidden.await, visible.await, deleted.await);
    let caller = app.customer().await;
    app.fill_cart(&caller, hidden.iter().chain(&deleted).chain(&visible)).await;
    let ids: Vec<_> = deleted.iter().map(id_of).collect();
    app.products().delete_many(doc! { "_id": { "$in": ids } }).await.expect("deleted");
    app.until_shown(&caller, [99, 30]).await;
    // Only the worker removes lines when nobody needs their place.
    assert_eq!(app.stored_lines(&caller).await, 200);
    assert_eq!(shown(&caller.add(&product, 1).await.expect(200)), [100, 30]);
    assert_eq!(app.stored_lines(&caller).await, 130);
    let new = app.products_like(&product, 1, true).await.remove(0);
    caller.add(&new, 1).await.refused(409, "cart is full");
}

#[tokio::test]
async fn calls_that_race_for_the_last_places_fill_them_and_no_more() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 50).await;
    let new = app.products_like(&product, 8, true).await;
    for (hidden, visible, places) in [(40, 97, 3), (103, 95, 2), (0, 99, 1)] {
        let caller = app.customer().await;
        let lines =
            [app.products_like(&product, hidden, false).await, app.products_like(&product, visible, true).await];
        app.fill_cart(&caller, lines.iter().flatten()).await;
        let other_instance = app.another_instance().await;
        let calls = new.iter().enumerate().map(|(n, product)| {
            let caller = if n % 2 == 0 { caller.clone() } else { caller.at(&other_instance.url) };
            let product = product.clone();
            tokio::spawn(async move { caller.add(&product, 1).await })
        });
        let mut done = 0;
        for call in calls.collect::<Vec<_>>() {
            let reply = call.await.expect("a reply");
            match reply.status.as_u16() {
                200 => done += 1,
                _ => drop(reply.refused(409, "cart is full")),
            }
        }
        assert_eq!((done, app.stored_lines(&caller).await), (places, hidden + visible + places));
    }
}

/// The server works out the cart after an update from the cart before it. So each answer must equal what is stored.
#[tokio::test]
async fn what_a_call_answers_is_what_is_stored_near_every_limit() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 6).await;
    let (hidden, visible) = (app.products_like(&product, 99, false).await, app.products_like(&product, 98, true).await);
    let new = app.products_like(&product, 3, true).await;
    let caller = app.customer().await;
    app.fill_cart(&caller, hidden.iter().chain(&visible)).await;
    let targets = [&new[0], &visible[0], &new[1], &hidden[0], &new[2]];
    let mut refusals = 0;
    for n in 0..60_usize {
        let (target, pieces) = (targets[n * 7 % 5], u32::try_from(n * 5 % 8).expect("small"));
        let before = caller.get(&caller.cart()).await.expect(200);
        let reply = if n % 2 == 0 { caller.add(target, pieces.max(1)).await } else { caller.set(target, pieces).await };
        let after = caller.get(&caller.cart()).await.expect(200);
        refusals += usize::from(reply.status != 200);
        assert_eq!(after.json, if reply.status == 200 { reply.json } else { before.json }, "call {n}");
    }
    assert!((10..50).contains(&refusals), "{refusals} refusals");
}

impl TestApp {
    /// Waits until the caller's cart shows these numbers of lines.
    async fn until_shown(&self, caller: &Caller, lines: [usize; 2]) {
        let is_shown = || async { shown(&caller.get(&caller.cart()).await.expect(200)) == lines };
        crate::support::eventually(&format!("{lines:?} lines"), is_shown).await;
    }
}
