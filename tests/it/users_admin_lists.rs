//! Filters and orders of the list of accounts, and the carts of others.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

const USERS: &str = "/api/admin/users/";

/// Signs up an account a minute after the one before, and makes it what it is to be.
async fn account(app: &TestApp, admin: &Caller, name: &str, number: u32, change: Value) -> Caller {
    app.advance(Duration::from_secs(60));
    let caller = app.claims(name, Some(&format!("98765400{number}")), None).await;
    admin.patch(&format!("{USERS}{}/", caller.user_id), &change).await.expect(200);
    caller
}

/// Returns the names that a query finds, page by page.
async fn names(caller: &Caller, query: &str) -> Vec<String> {
    let (mut names, mut cursor): (Vec<String>, String) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("{USERS}?{query}&limit=2{cursor}")).await.expect(200);
        let users = page["users"].as_array().expect("users");
        names.extend(users.iter().map(|user| user["username"].as_str().expect("a name").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else {
            assert_eq!((&page["total"], &page["total_is_capped"]), (&json!(names.len()), &json!(false)), "{query}");
            return names;
        };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn filters_and_orders_combine() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (n, (name, role, is_active)) in [
        ("zara part", "customer", true),
        ("Asha Part", "staff", true),
        ("ben part", "customer", false),
        ("Über Part", "customer", true),
        ("Cora part", "staff", false),
    ]
    .into_iter()
    .enumerate()
    {
        let number = u32::try_from(n).expect("a number") + 10;
        account(&app, &admin, name, number, json!({ "role": role, "is_active": is_active })).await;
    }
    for (query, expected) in [
        ("q=PART", vec!["Cora part", "Über Part", "ben part", "Asha Part", "zara part"]),
        ("q=part&sort=-created_at", vec!["Cora part", "Über Part", "ben part", "Asha Part", "zara part"]),
        ("q=part&sort=created_at", vec!["zara part", "Asha Part", "ben part", "Über Part", "Cora part"]),
        ("q=part&sort=username", vec!["Asha Part", "ben part", "Cora part", "zara part", "Über Part"]),
        ("q=part&sort=-username", vec!["Über Part", "zara part", "Cora part", "ben part", "Asha Part"]),
        ("role=staff", vec!["Cora part", "Asha Part"]),
        ("role=customer&sort=username", vec!["ben part", "zara part", "Über Part"]),
        ("is_active=false&sort=created_at", vec!["ben part", "Cora part"]),
        ("role=staff&is_active=true&q=part&sort=-username", vec!["Asha Part"]),
        ("role=customer&is_active=false&q=ASHA", vec![]),
        ("q=987654&role=staff&sort=username", vec!["Asha Part", "Cora part"]),
        ("q=&role=staff&is_active=&sort=", vec!["Cora part", "Asha Part"]),
    ] {
        assert_eq!(names(&admin, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn all_faults_of_a_query_are_told_at_once() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let path = format!("{USERS}?role=Owner&is_active=1&sort=name&limit=x&cursor=abc&q={}", "a".repeat(101));
    let reply = staff.get(&path).await.refused(400, "q must be at most 100 characters");
    let told: Vec<(&String, &str)> = reply["fields"]
        .as_object()
        .expect("fields")
        .iter()
        .map(|(name, why)| (name, why.as_str().expect("why")))
        .collect();
    let told: Vec<(&str, &str)> =
        told.into_iter().filter(|(name, _)| *name != "cursor").map(|(n, why)| (n.as_str(), why)).collect();
    let expected = [
        ("is_active", "is_active must be true or false"),
        ("limit", "limit must be an integer between 1 and 100"),
        ("q", "q must be at most 100 characters"),
        ("role", "role must be customer, staff or admin"),
        ("sort", "sort must be username or created_at, perhaps after a -"),
    ];
    assert_eq!(told, expected);
    assert!(reply["fields"]["cursor"].is_string());
    let cursor = staff.get(&format!("{USERS}?limit=1&sort=username")).await.expect(200)["next_cursor"].clone();
    app.customer().await;
    let cursor = cursor.as_str().unwrap_or("none");
    staff.get(&format!("{USERS}?sort=created_at&cursor={cursor}")).await.expect(400).is_envelope();
    staff.get(&format!("{USERS}?roles=staff")).await.refused(400, "unknown query parameter: roles");
}

#[tokio::test]
async fn staff_see_the_cart_that_its_owner_sees() {
    let app = TestApp::start().await;
    let (staff, buyer) = (app.staff().await, app.customer().await);
    let product = app.product(19.9, 5).await;
    let path = format!("{USERS}{}/cart/", buyer.user_id);
    let empty = staff.get(&path).await.expect(200);
    assert_eq!((&empty["cart"]["items"], &empty["cart"]["user_id"]), (&json!([]), &json!(buyer.user_id)));
    buyer.add(&product, 3).await.expect(200);
    let own = buyer.get(&buyer.cart()).await.expect(200);
    let seen = staff.get(&path).await.expect(200);
    assert_eq!((&seen.json, &seen["cart"]["items"][0]["quantity"]), (&own.json, &json!(3)));
    buyer.get(&path).await.refused(403, "staff only");
    for id in ["nonsense", "65f0c0ffee65f0c0ffee65f0"] {
        staff.get(&format!("{USERS}{id}/cart/")).await.refused(404, "user not found");
    }
    // A disabled account keeps its cart, but its owner can't see it.
    app.admin().await.patch(&format!("{USERS}{}/", buyer.user_id), &json!({ "is_active": false })).await.expect(200);
    assert_eq!(staff.get(&path).await.expect(200).json, own.json);
}
