//! Administration of accounts: how staff and admins see and change the accounts of others.

use bson::{doc, oid::ObjectId};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp, stable};

const USERS: &str = "/api/admin/users/";
const ME: &str = "/api/accounts/me/";
const LOGIN: &str = "/api/auth/login/";

fn path(user: &Caller) -> String {
    format!("{USERS}{}/", user.user_id)
}

async fn named(app: &TestApp, username: &str, phone: &str, email: &str) -> Caller {
    let body = json!({ "username": username, "password": PASSWORD, "phone_number": phone, "email": email });
    let mut caller = app.anonymous();
    let reply = caller.post("/api/auth/register/", &body).await.expect(201);
    caller.sign_in(&reply);
    caller
}

/// Returns the names of the accounts that a query finds, the newest first.
async fn found(caller: &Caller, query: &str) -> Vec<String> {
    let reply = caller.get(&format!("{USERS}?{query}")).await.expect(200);
    let users = reply["users"].as_array().expect("users");
    assert_eq!(reply["total"], users.len());
    users.iter().map(|user| user["username"].as_str().expect("a name").to_owned()).collect()
}

async fn login(app: &TestApp, number: &str, password: &str) -> Reply {
    app.anonymous().post(LOGIN, &json!({ "phone_number": number, "password": password })).await
}

#[tokio::test]
async fn the_list_goes_through_all_accounts_once_the_newest_first() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(app.customer().await.user_id);
    }
    let admin = app.admin().await;
    ids.push(admin.user_id.clone());
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{USERS}?limit=3{cursor}")).await.expect(200);
        assert_eq!(page["total"], 7);
        let users = page["users"].as_array().expect("users");
        seen.extend(users.iter().map(|user| user["_id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    ids.reverse();
    assert_eq!(seen, ids);
    admin.get(&format!("{USERS}?limit=0")).await.refused(400, "limit must be an integer between 1 and 100");
    admin.get(&format!("{USERS}?cursor=x")).await.expect(400).is_envelope();
}

#[tokio::test]
async fn admins_search_names_numbers_and_addresses_as_plain_text() {
    let app = TestApp::start().await;
    named(&app, "Asha Rao", "9876540010", "asha@example.com").await;
    named(&app, "Straße.1", "9876540022", "w_ner@example.org").await;
    let admin = app.admin().await;
    let both = ["Straße.1", "Asha Rao"];
    for (query, names) in [
        ("q=ASHA%20r", &both[1..]),
        ("q=STRASSE", &both[..1]),
        ("q=W_NER@", &both[..1]),
        ("q=EXAMPLE.", &both[..]),
        ("q=98765%2040", &both[..]),
        ("q=%2B91-98765", &both[..]),
        ("q=09876540010", &both[1..]),
        ("q=54001", &both[1..]),
    ] {
        assert_eq!(found(&admin, query).await, names, "{query}");
    }
    for nothing in [".*", "%5E", "asha%7Crao", "(", "%5B", "%5C", "$where", "%25", "x_ner"] {
        assert_eq!(found(&admin, &format!("q={nothing}")).await, [""; 0], "{nothing}");
    }
    assert_eq!(found(&admin, "q=%20").await.len(), 3, "an empty query finds all accounts");
    let long = format!("{USERS}?q={}", "a".repeat(101));
    admin.get(&long).await.refused(400, "q must be at most 100 characters");
}

#[tokio::test]
async fn staff_see_others_masked_and_cannot_piece_their_data_together() {
    let app = TestApp::start().await;
    let customer = named(&app, "Asha Rao", "9876540010", "asha@example.com").await;
    customer.put("/api/accounts/update/", &json!({ "address": { "city": "Pune", "name": "Asha" } })).await.expect(200);
    let staff = app.staff().await;
    for whole in ["q=9876540010", "q=%2B91%2098765%2040010", "q=ASHA@example.com", "q=sha%20R"] {
        assert_eq!(found(&staff, whole).await, ["Asha Rao"], "{whole}");
    }
    for part in ["q=98765400", "q=54001", "q=@example", "q=asha@"] {
        assert_eq!(found(&staff, part).await, [""; 0], "{part}");
    }
    let listed = staff.get(USERS).await.expect(200);
    assert_json_snapshot!(stable(&listed["users"][1]), @r#"
    {
      "_id": "[id]",
      "created_at": "[time]",
      "email": "a***@example.com",
      "is_active": true,
      "last_sign_in_at": "[time]",
      "phone_number": "+91******0010",
      "role": "customer",
      "username": "Asha Rao"
    }
    "#);
    let read = staff.get(&path(&customer)).await.expect(200);
    assert_eq!((&read["user"]["username"], &read["user"]["email"]), (&json!("Asha Rao"), &json!("a***@example.com")));
    assert_json_snapshot!(stable(&read["user"]["profile"]), @r#"
    {
      "address": {
        "_id": "[id]",
        "address_line1": "",
        "address_line2": "",
        "city": "",
        "country": "",
        "name": "",
        "phone_number": "",
        "pincode": "",
        "postal_code": "",
        "state": "",
        "updated_at": "[time]",
        "user_id": "[id]"
      },
      "display": null,
      "phone": {
        "created_at": "[time]",
        "number": "+91******0010"
      },
      "preference": null
    }
    "#);
    assert!(!read.text.contains("540010") && !read.text.contains("asha@") && !read.text.contains("Pune"));
    let own = staff.get(&path(&staff)).await.expect(200);
    assert_eq!(own["user"]["phone_number"], staff.get(ME).await.expect(200)["phone_number"]);
    let whole = app.admin().await.get(&path(&customer)).await.expect(200);
    assert_eq!(whole["user"]["profile"]["address"]["city"], "Pune");
}

#[tokio::test]
async fn an_account_is_shown_with_its_sign_ins_and_without_secrets() {
    let app = TestApp::start().await;
    let (admin, customer) = (app.admin().await, named(&app, "Asha Rao", "9876540010", "asha@example.com").await);
    let me = customer.get(ME).await.expect(200);
    login(&app, "9876540010", PASSWORD).await.expect(200);
    let read = admin.get(&path(&customer)).await.expect(200);
    for (field, value) in me.json.as_object().expect("an account") {
        assert_eq!(&read["user"][field], value, "{field}");
    }
    assert_eq!((&read["user"]["sessions"], &read["user"]["locked"]), (&json!(2), &json!(false)));
    let before = read["user"]["last_sign_in_at"].clone();
    assert!(before.as_str() > me["created_at"].as_str(), "{before}");
    customer.post_empty("/api/auth/logout-all/").await.expect(200);
    let read = admin.get(&path(&customer)).await.expect(200);
    assert_eq!((&read["user"]["sessions"], &read["user"]["last_sign_in_at"]), (&json!(0), &before));
    for hidden in ["password", "hash", "counter", "cart", "device", "ip\""] {
        assert!(!read.text.contains(hidden), "{hidden}: {}", read.text);
    }
}

#[tokio::test]
async fn what_is_no_account_is_not_found() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for id in ["nonsense", "65f0c0ffee65f0c0ffee65f0", "0"] {
        let path = format!("{USERS}{id}/");
        admin.get(&path).await.refused(404, "user not found");
        admin.patch(&path, &json!({ "role": "staff" })).await.refused(404, "user not found");
        admin.post_empty(&format!("{path}logout/")).await.refused(404, "user not found");
        let reply = admin.post_empty(&format!("{path}unlock/")).await.refused(404, "user not found");
        assert_eq!(reply["code"], "user_not_found");
    }
}

#[tokio::test]
async fn changes_name_a_role_or_a_state() {
    let app = TestApp::start().await;
    let (admin, customer) = (app.admin().await, app.customer().await);
    for nothing in [json!({}), json!({ "username": "x" })] {
        admin.patch(&path(&customer), &nothing).await.refused(400, "no fields provided for update");
    }
    let unknown = "invalid role: must be customer, staff or admin";
    for role in ["owner", "Admin", ""] {
        let reply = admin.patch(&path(&customer), &json!({ "role": role })).await.refused(400, unknown);
        assert!(reply["fields"]["role"].is_string());
    }
    for no_text in [json!(1), json!(null)] {
        admin.patch(&path(&customer), &json!({ "role": no_text })).await.refused(400, "role must be a string");
    }
    admin.patch(&path(&customer), &json!({ "is_active": "no" })).await.refused(400, "is_active must be true or false");
    let reply = admin.patch(&path(&customer), &json!({ "role": "staff", "is_active": false })).await.expect(200);
    assert_eq!(reply["message"], "user updated successfully");
    assert_eq!((&reply["user"]["role"], &reply["user"]["is_active"]), (&json!("staff"), &json!(false)));
}

#[tokio::test]
async fn a_role_counts_from_the_next_call_on_everywhere() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.customer().await);
    let elsewhere = user.at(&app.another_instance().await.url);
    let audits = "/api/admin/audits/";
    elsewhere.get(audits).await.refused(403, "staff only");
    admin.patch(&path(&user), &json!({ "role": "staff" })).await.expect(200);
    elsewhere.get(audits).await.expect(200);
    elsewhere.patch(&path(&user), &json!({ "role": "admin" })).await.refused(403, "admins only");
    admin.patch(&path(&user), &json!({ "role": "admin" })).await.expect(200);
    elsewhere.patch(&path(&admin), &json!({ "role": "customer" })).await.expect(200);
    admin.get(audits).await.refused(403, "staff only");
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once_on_every_instance() {
    let app = TestApp::start().await;
    let (admin, customer) = (app.admin().await, named(&app, "Asha Rao", "9876540010", "asha@example.com").await);
    let product = app.product(10.0, 5).await;
    let elsewhere = customer.at(&app.another_instance().await.url);
    elsewhere.add(&product, 1).await.expect(200);
    customer.post("/api/request/forgot/confirm/", &json!({ "identifier": "asha@example.com" })).await.expect(200);
    let link = app.link("reset").await;
    admin.patch(&path(&customer), &json!({ "is_active": false })).await.expect(200);
    for caller in [&customer, &elsewhere] {
        caller.get(ME).await.refused(401, "invalid or expired access token");
        caller.get(&caller.cart()).await.expect(401);
        caller.add(&product, 1).await.expect(401);
        caller.refresh().await.refused(401, "refresh token has been revoked");
    }
    login(&app, "9876540010", PASSWORD).await.refused(403, "account disabled");
    login(&app, "9876540010", "Wr0ng!pass").await.expect(401);
    let reply = admin.patch(&path(&customer), &json!({ "is_active": true })).await.expect(200);
    assert_eq!(reply["user"]["sessions"], 0);
    customer.get(ME).await.expect(401);
    app.anonymous().get(&format!("/api/request/reset/check/{link}")).await.expect(404);
    login(&app, "9876540010", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let app = TestApp::start().await;
    let (first, staff) = (app.admin().await, app.staff().await);
    let none_left = "the shop needs an active admin: make another account an admin first";
    for change in [json!({ "role": "staff" }), json!({ "is_active": false }), json!({ "role": "customer" })] {
        let reply = first.patch(&path(&first), &change).await.refused(409, none_left);
        assert_eq!(reply["code"], "last_admin");
    }
    first.patch(&path(&first), &json!({ "role": "admin", "is_active": true })).await.expect(200);
    first.patch(&path(&staff), &json!({ "role": "admin", "is_active": false })).await.expect(200);
    first.patch(&path(&first), &json!({ "role": "staff" })).await.refused(409, none_left);
    first.patch(&path(&staff), &json!({ "is_active": true })).await.expect(200);
    let body = json!({ "current_password": PASSWORD });
    let leave = Reply::of(first.request(Method::DELETE, ME).json(&body)).await.expect(409);
    assert_eq!(leave["code"], "admin_account");
    first.patch(&path(&first), &json!({ "role": "customer" })).await.expect(200);
    Reply::of(first.request(Method::DELETE, ME).json(&body)).await.expect(200);
    assert_eq!(app.users().count_documents(doc! { "role": "admin", "is_active": true }).await.expect("a count"), 1);
}

#[tokio::test]
async fn an_admin_signs_somebody_out_everywhere() {
    let app = TestApp::start().await;
    let (admin, customer, other) = (app.admin().await, app.customer().await, app.customer().await);
    let elsewhere = customer.at(&app.another_instance().await.url);
    admin.post_empty(&format!("{}logout/", path(&customer))).await.expect(200);
    elsewhere.get(ME).await.expect(401);
    elsewhere.refresh().await.refused(401, "refresh token has been revoked");
    other.get(ME).await.expect(200);
    let number = admin.get(&path(&customer)).await.expect(200)["user"]["phone_number"].clone();
    login(&app, number.as_str().expect("a number"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn an_unlocked_account_lets_its_owner_in_again() {
    let vars = [("RATE_LIMIT_SCALE", "1"), ("TRUSTED_PROXIES", "127.0.0.1,::1"), ("LIMIT_SIGN_IN_ACCOUNT", "12/15m")];
    let app = TestApp::start_with(&vars).await;
    let (admin, customer) = (app.admin().await, named(&app, "Asha Rao", "9876540010", "asha@example.com").await);
    let other = named(&app, "Ben Roy", "9876540011", "ben@example.com").await;
    let try_from = async |address: u8, password: &str| {
        let request = app.anonymous().request(Method::POST, LOGIN);
        let request = request.header("x-forwarded-for", format!("198.51.100.{address}"));
        Reply::of(request.json(&json!({ "phone_number": "9876540010", "password": password }))).await.status.as_u16()
    };
    let locked = async |user: &Caller| admin.get(&path(user)).await.expect(200)["user"]["locked"].clone();
    for n in 0..10 {
        assert_eq!((locked(&customer).await, try_from(1, "Wr0ng!pass").await), (json!(false), 401), "{n}");
    }
    assert_eq!((try_from(1, PASSWORD).await, try_from(2, PASSWORD).await), (429, 200));
    assert_eq!((locked(&customer).await, locked(&other).await), (json!(true), json!(false)));
    let unlock = format!("{}unlock/", path(&customer));
    admin.post_empty(&unlock).await.expect(200);
    assert_eq!((locked(&customer).await, try_from(1, PASSWORD).await), (json!(false), 200));
    for n in 0..12 {
        assert_eq!(try_from(10 + n, "Wr0ng!pass").await, 401);
    }
    assert_eq!((try_from(99, PASSWORD).await, locked(&customer).await), (429, json!(true)));
    admin.post_empty(&unlock).await.expect(200);
    assert_eq!(try_from(99, PASSWORD).await, 200);
}

#[tokio::test]
async fn accounts_of_older_versions_tell_their_last_sign_in_by_their_sessions() {
    let app = TestApp::start().await;
    let (admin, customer) = (app.admin().await, app.customer().await);
    let id = ObjectId::parse_str(&customer.user_id).expect("an id");
    let older = doc! { "$unset": { "last_sign_in_at": "" } };
    app.users().update_one(doc! { "_id": id }, older).await.expect("an update");
    let user: Value = admin.get(&path(&customer)).await.expect(200)["user"].clone();
    assert_eq!(user["last_sign_in_at"], user["created_at"]);
}
