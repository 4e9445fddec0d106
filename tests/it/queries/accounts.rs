//! The calls that customers make, and the calls by which a customer asks to become staff.

use std::time::Duration;

use bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value, json};

use super::tour::Tour;
use crate::support::{Form, PASSWORD, TestApp, eventually, some_picture};

/// The password that replaces the usual one.
const NEW: &str = "N3w-gasket!";

/// Makes the calls for sign-ups, sign-ins and sessions.
pub async fn sessions(app: &TestApp, tour: &Tour) {
    let account = app.new_account();
    let (name, phone) = (&account["username"], &account["phone_number"]);
    let mut caller = app.anonymous();
    caller.sign_in(&tour.json(&caller, "register", &[], &account).await);
    let mut again = app.anonymous();
    let login = json!({ "phone_number": phone, "password": PASSWORD });
    let wrong = json!({ "phone_number": phone, "password": "Wr0ng!pass" });
    again.post("/api/auth/login/", &wrong).await.expect(401);
    again.sign_in(&tour.json(&again, "login", &[], &login).await);
    tour.json(&app.anonymous(), "obtainToken", &[], &json!({ "username": name, "password": PASSWORD })).await;
    again.take_tokens(&tour.call(&again, "refresh", &[], "").await);
    tour.json(&again, "refreshToken", &[], &json!({})).await;
    let sessions = tour.call(&caller, "listSessions", &[], "").await;
    let other = sessions["sessions"].as_array().expect("sessions").iter().find(|session| session["current"] == false);
    tour.call(&caller, "endSession", &[other.expect("another session")["_id"].as_str().expect("an id")], "").await;
    tour.call(&caller, "logoutAll", &[], "").await;
}

/// Changes a password and deletes the account.
pub async fn password(app: &TestApp, tour: &Tour) {
    let account = app.new_account();
    let mut caller = app.anonymous();
    caller.sign_in(&tour.json(&caller, "register", &[], &account).await);
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    tour.json(&caller, "changePassword", &[], &change).await;
    tour.call(&caller, "logout", &[], "").await;
    let login = json!({ "phone_number": account["phone_number"], "password": NEW });
    caller.sign_in(&tour.json(&caller, "login", &[], &login).await);
    tour.json(&caller, "deleteAccount", &[], &json!({ "current_password": NEW })).await;
}

/// Makes the calls that need a code by text message.
pub async fn codes(app: &TestApp, tour: &Tour) {
    let mut caller = app.anonymous();
    let account = json!({ "username": "by phone", "password": PASSWORD, "phone_number": "9876543210" });
    caller.challenge = tour.json(&caller, "sendRegistrationOtp", &[], &account).await.challenge_cookie();
    let proof = |number: &str| json!({ "phone_number": number, "otp": app.code_for(&format!("+91{number}")) });
    let signed_up = tour.json(&caller, "verifyRegistrationOtp", &[], &proof("9876543210")).await;
    caller.challenge = None;
    caller.sign_in(&signed_up);
    let other = json!({ "phone_number": "9876543211", "current_password": PASSWORD });
    caller.challenge = tour.json(&caller, "sendNumberOtp", &[], &other).await.challenge_cookie();
    tour.json(&caller, "verifyNumberOtp", &[], &proof("9876543211")).await;
    let mut forgetful = app.anonymous();
    let ask = json!({ "phone_number": "9876543211" });
    app.advance(Duration::from_secs(60));
    forgetful.challenge = tour.json(&forgetful, "sendPasswordOtp", &[], &ask).await.challenge_cookie();
    // The server sends the text message after the response.
    let kept = app.db.collection::<Document>("otp_codes");
    let is_kept =
        || async { kept.count_documents(doc! { "purpose": "reset", "is_sent": true }).await.expect("a count") == 1 };
    eventually("the code is sent", is_kept).await;
    let allowed = tour.json(&forgetful, "verifyPasswordOtp", &[], &proof("9876543211")).await;
    let reset = json!({ "reset_token": allowed["reset_token"], "new_password": NEW });
    tour.json(&forgetful, "resetPasswordByOtp", &[], &reset).await;
}

/// Makes the calls that need a link in a mail.
pub async fn mails(app: &TestApp, tour: &Tour) {
    let owner = app.customer_at("asha@example.com").await;
    tour.json(&owner, "requestStaff", &[], &json!({})).await;
    let link = app.link("activate-staff").await;
    let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
    tour.call(&app.anonymous(), "checkActivation", &[uid, token], "").await;
    tour.call(&owner, "activateStaff", &[uid, token], "").await;
    let identifier = json!({ "identifier": "asha@example.com" });
    tour.json(&app.anonymous(), "checkForgotten", &[], &identifier).await;
    tour.json(&app.anonymous(), "confirmForgotten", &[], &identifier).await;
    let link = app.link("reset").await;
    let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
    tour.call(&app.anonymous(), "checkReset", &[uid, token], "").await;
    let reset = json!({ "uid": uid, "token": token, "new_password": NEW });
    tour.json(&app.anonymous(), "resetPassword", &[], &reset).await;
}

/// Makes the calls with which owners read and change their accounts.
pub async fn profile(app: &TestApp, tour: &Tour) {
    let caller = app.customer().await;
    let me = caller.user_id.as_str();
    tour.call(&caller, "readAccount", &[], "").await;
    tour.json(&caller, "updateAccount", &[], &json!({ "username": "renamed one" })).await;
    let change = json!({ "email": "new@example.com", "current_password": PASSWORD });
    tour.json(&caller, "patchAccount", &[], &change).await;
    let (_, path) = tour.path("uploadPhoto", &[]);
    let form = Form::default().file("image", &some_picture());
    tour.send("uploadPhoto", form.request(&caller, Method::POST, &path)).await;
    tour.call(&caller, "removePhoto", &[], "").await;
    tour.call(&caller, "readAddress", &[me], "").await;
    tour.json(&caller, "updateAddress", &[me], &json!({ "city": "Pune", "pincode": "411001" })).await;
    tour.call(&caller, "exportAccount", &[], "").await;
}

/// Makes the calls of a cart, and lets the stock fall so that the worker reduces the carts.
pub async fn cart(app: &TestApp, tour: &Tour, product: &Value) {
    let id = product["_id"].as_str().expect("an id");
    let (buyer, other) = (app.customer().await, app.customer().await);
    for caller in [&buyer, &other] {
        let me = caller.user_id.as_str();
        tour.json(caller, "addToCart", &[me, id], &json!({ "quantity": 3 })).await;
        tour.json(caller, "setCartItem", &[me, id], &json!({ "quantity": 4 })).await;
        tour.call(caller, "removeFromCart", &[me, id], "?quantity=1").await;
        tour.call(caller, "readCart", &[me], "").await;
    }
    let workers = app.start_workers();
    let both = [buyer.clone(), other];
    for (stock, held) in [(4, [2, 2]), (3, [2, 1])] {
        app.set_stock(product, stock).await;
        app.until_held(&both, product, &held).await;
    }
    app.until_no_plan().await;
    workers.stop().await;
    tour.call(&buyer, "clearCart", &[&buyer.user_id], "").await;
}
