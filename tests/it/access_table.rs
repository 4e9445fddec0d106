//! Checks for each operation of the OpenAPI document which callers may call it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Caller, Reply, TestApp};

/// The callers that pass the permission check of an operation.
///
/// Other tests cover what the operation does after the check.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anyone,
    /// Everybody may call it, and staff see more in the response.
    Visitor,
    SignedIn,
    /// The customer named in the path.
    Owner,
    Staff,
    Admin,
    /// A caller who presents a refresh token or another token that this operation accepts.
    Token,
}

const TABLE: &[(&str, Who)] = &[
    ("register", Who::Anyone),
    ("sendRegistrationOtp", Who::Anyone),
    ("verifyRegistrationOtp", Who::Anyone),
    ("sendPasswordOtp", Who::Anyone),
    ("verifyPasswordOtp", Who::Anyone),
    ("resetPasswordByOtp", Who::Anyone),
    ("sendNumberOtp", Who::SignedIn),
    ("verifyNumberOtp", Who::SignedIn),
    ("login", Who::Anyone),
    ("obtainToken", Who::Anyone),
    ("refresh", Who::Token),
    ("refreshToken", Who::Token),
    ("logout", Who::Token),
    ("listSessions", Who::SignedIn),
    ("endSession", Who::SignedIn),
    ("logoutAll", Who::SignedIn),
    ("readAccount", Who::SignedIn),
    ("deleteAccount", Who::SignedIn),
    ("exportAccount", Who::SignedIn),
    ("updateAccount", Who::SignedIn),
    ("patchAccount", Who::SignedIn),
    ("uploadPhoto", Who::SignedIn),
    ("removePhoto", Who::SignedIn),
    ("changePassword", Who::SignedIn),
    ("requestStaff", Who::SignedIn),
    ("checkActivation", Who::Anyone),
    ("activateStaff", Who::Token),
    ("checkForgotten", Who::Anyone),
    ("confirmForgotten", Who::Anyone),
    ("checkReset", Who::Anyone),
    ("resetPassword", Who::Anyone),
    ("readCart", Who::Owner),
    ("addToCart", Who::Owner),
    ("removeFromCart", Who::Owner),
    ("setCartItem", Who::Owner),
    ("clearCart", Who::Owner),
    ("readAddress", Who::Owner),
    ("updateAddress", Who::Owner),
    ("readShop", Who::Anyone),
    ("listBrands", Who::Anyone),
    ("readBrand", Who::Anyone),
    ("listModels", Who::Anyone),
    ("readModel", Who::Anyone),
    ("listCategories", Who::Anyone),
    ("readCategory", Who::Anyone),
    ("listProducts", Who::Visitor),
    ("readProduct", Who::Visitor),
    ("searchBrands", Who::Anyone),
    ("searchModels", Who::Anyone),
    ("searchCategories", Who::Anyone),
    ("searchProducts", Who::Visitor),
    ("searchCatalogue", Who::Visitor),
    ("readProductByCode", Who::Visitor),
    ("insertBrand", Who::Staff),
    ("insertModel", Who::Staff),
    ("insertCategory", Who::Staff),
    ("insertProduct", Who::Staff),
    ("updateBrand", Who::Staff),
    ("updateModel", Who::Staff),
    ("updateCategory", Who::Staff),
    ("updateProduct", Who::Staff),
    ("addProductImage", Who::Staff),
    ("arrangeProductImages", Who::Staff),
    ("deleteProductImage", Who::Staff),
    ("deleteBrand", Who::Staff),
    ("deleteModel", Who::Staff),
    ("deleteCategory", Who::Staff),
    ("deleteProduct", Who::Staff),
    ("changeProducts", Who::Staff),
    ("exportCatalogue", Who::Staff),
    ("importCatalogue", Who::Staff),
    ("listBrandsForStaff", Who::Staff),
    ("listModelsForStaff", Who::Staff),
    ("listCategoriesForStaff", Who::Staff),
    ("listProductsForStaff", Who::Staff),
    ("listAllProducts", Who::Staff),
    ("listAudits", Who::Staff),
    ("searchAudits", Who::Staff),
    ("listUsers", Who::Staff),
    ("readUser", Who::Staff),
    ("readUserCart", Who::Staff),
    ("changeUser", Who::Admin),
    ("logoutUser", Who::Admin),
    ("unlockUser", Who::Admin),
    ("readStats", Who::Staff),
    ("listInvitations", Who::Admin),
    ("inviteStaff", Who::Admin),
    ("withdrawInvitation", Who::Admin),
];

struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations(spec: &Value) -> Vec<Operation> {
    let paths = spec["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().expect("methods").iter().map(move |(method, operation)| Operation {
            id: operation["operationId"].as_str().expect("an operation id").to_owned(),
            method: Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method"),
            path: path.clone(),
        })
    });
    all.collect()
}

#[tokio::test]
async fn everybody_gets_exactly_where_the_table_lets_them() {
    let app = TestApp::start().await;
    let spec = app.anonymous().get("/openapi.json").await.expect(200).json;
    let known: BTreeSet<&str> = TABLE.iter().map(|(id, _)| *id).collect();
    let operations = operations(&spec);
    assert_eq!(operations.iter().map(|operation| operation.id.as_str()).collect::<BTreeSet<_>>(), known);
    for operation in &operations {
        let who = TABLE.iter().find(|(id, _)| *id == operation.id).expect("a row").1;
        // Each operation gets new accounts, because some operations end sessions.
        let customer = app.customer().await;
        let callers = [
            ("anonymous", app.anonymous()),
            ("customer", customer.clone()),
            ("another customer", app.customer().await),
            ("staff", app.staff().await),
            ("admin", app.admin().await),
        ];
        for (name, caller) in callers.iter().filter(|_| who != Who::Token) {
            check(&customer, operation, who, name, caller).await;
        }
    }
}

#[tokio::test]
async fn a_signed_out_bearer_opens_no_door() {
    let app = TestApp::start().await;
    let gone = app.admin().await;
    gone.post_empty("/api/auth/logout/").await.expect(200);
    let spec = app.anonymous().get("/openapi.json").await.expect(200).json;
    for operation in operations(&spec) {
        let who = TABLE.iter().find(|(id, _)| *id == operation.id).expect("a row").1;
        let path = operation.path.replace("{user_id}", &gone.user_id).replace(['{', '}'], "");
        let reply = Reply::of(gone.request(operation.method.clone(), &path)).await;
        match who {
            Who::Anyone | Who::Visitor => drop(reply.tells_of_bad_bearer()),
            Who::Token => {}
            _ => drop(reply.refused(401, "invalid or expired access token")),
        }
    }
}

async fn check(customer: &Caller, operation: &Operation, who: Who, name: &str, caller: &Caller) {
    let path =
        operation.path.replace("{user_id}", &customer.user_id).replace("{product_id}", "65f0c0ffee65f0c0ffee65f0");
    let path = path.replace(['{', '}'], "");
    let reply = Reply::of(caller.request(operation.method.clone(), &path)).await;
    let expected = match (who, name) {
        (Who::Anyone | Who::Visitor | Who::Token, _) => None,
        (_, "anonymous") => Some(401),
        (Who::SignedIn, _) | (Who::Owner, "customer") | (Who::Staff, "staff" | "admin") => None,
        (Who::Admin, "admin") => None,
        (Who::Owner | Who::Staff | Who::Admin, _) => Some(403),
    };
    let status = reply.status.as_u16();
    let refused = [401, 403].contains(&status) && !["login", "obtainToken"].contains(&operation.id.as_str());
    let outcome = (refused.then_some(status), status < 500);
    assert_eq!(outcome, (expected, true), "{} as {name}: {}", operation.id, reply.text);
}

#[tokio::test]
async fn the_spec_asks_for_what_the_door_checks() {
    let app = TestApp::start().await;
    let spec = app.anonymous().get("/openapi.json").await.expect(200).json;
    for operation in operations(&spec) {
        let described = &spec["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let schemes = described["security"].as_array().cloned().unwrap_or_default();
        let who = TABLE.iter().find(|(id, _)| *id == operation.id).expect("a row").1;
        assert_eq!(schemes.is_empty(), who == Who::Anyone, "{}", operation.id);
    }
}
