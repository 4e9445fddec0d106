//! The rules for setting a new password with a phone number or an address.
//!
//! The table has every combination of a number and an address that are missing, claimed or proven.

use bson::{doc, oid::ObjectId};

use crate::support::{Caller, TestApp};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Missing,
    Claimed,
    Proven,
}

use Standing::{Claimed, Missing, Proven};

/// The rules: the standing of the number, the standing of the address, and whether each of the two may reset the
/// password. The first pair of answers is for customers, and the second pair is for staff and admins.
const TABLE: [(Standing, Standing, [bool; 2], [bool; 2]); 8] = [
    (Missing, Claimed, [false, true], [false, false]),
    (Missing, Proven, [false, true], [false, true]),
    (Claimed, Missing, [true, false], [false, false]),
    (Claimed, Claimed, [true, true], [false, false]),
    (Claimed, Proven, [false, true], [false, true]),
    (Proven, Missing, [true, false], [true, false]),
    (Proven, Claimed, [true, false], [true, false]),
    (Proven, Proven, [true, true], [true, true]),
];

/// An account that stands for one row of the table, on a server of its own.
struct Case {
    app: TestApp,
    number: String,
    email: String,
}

impl Case {
    async fn make(n: usize, number: Standing, email: Standing, role: &str) -> Self {
        let app = TestApp::start().await;
        let case = Self { app, number: format!("+9198765{n:05}"), email: format!("owner{n}@example.com") };
        let caller = case.account(number, email).await;
        if email == Proven {
            case.app.proves_email(&caller).await;
        }
        let id = ObjectId::parse_str(&caller.user_id).expect("an id");
        case.app.users().update_one(doc! { "_id": id }, doc! { "$set": { "role": role } }).await.expect("a role");
        case
    }

    async fn account(&self, number: Standing, email: Standing) -> Caller {
        let address = (email != Missing).then_some(self.email.as_str());
        match number {
            Missing => self.app.claims("somebody", None, address).await,
            Claimed => self.app.claims("somebody", Some(&self.number), address).await,
            Proven => self.app.proves_number("somebody", &self.number, address).await,
        }
    }

    /// Tries to set a new password. `who` is 0 for the owner of the number and 1 for the owner of the address.
    async fn reset(&self, who: usize, allowed: bool) {
        match who {
            0 => self.app.resets_by_number(&self.number, allowed).await,
            _ => self.app.resets_by_email(&self.email, allowed).await,
        }
    }
}

/// Checks both resets of one row in a given order.
///
/// A reset succeeds if the table allows it. If the first reset succeeds, it drops contacts that are only claimed, so
/// the second reset succeeds only with a proven contact.
async fn in_this_order(n: usize, row: usize, role: &str, first: usize) {
    let (number, email, customers, others) = TABLE[row];
    let allowed = if role == "customer" { customers } else { others };
    let case = Case::make(n, number, email, role).await;
    case.reset(first, allowed[first]).await;
    let second = 1 - first;
    let is_proven = [number, email][second] == Proven;
    case.reset(second, if allowed[first] { is_proven } else { allowed[second] }).await;
}

#[tokio::test]
async fn customers_are_reset_by_what_is_proven_and_by_claims_only_while_nothing_is() {
    for row in 0..TABLE.len() {
        for first in [0, 1] {
            in_this_order(row * 2 + first, row, "customer", first).await;
        }
    }
}

#[tokio::test]
async fn staff_and_admins_are_reset_by_proven_contacts_alone() {
    for row in 0..TABLE.len() {
        in_this_order(100 + row * 2, row, "staff", 0).await;
        in_this_order(101 + row * 2, row, "admin", 1).await;
    }
}

#[tokio::test]
async fn an_owner_whose_contacts_somebody_else_claims_gets_an_account_of_their_own() {
    let app = TestApp::start().await;
    app.claims("somebody", Some("+919876500001"), Some("owner@example.com")).await;
    let owner = app.proves_number("the owner", "+919876500001", None).await;
    owner.post_empty(&app.activation(&owner, Some("owner@example.com")).await).await.expect(200);
    let me = owner.get("/api/accounts/me/").await.expect(200);
    assert_eq!((&me["phone_number"], &me["email"]), (&"+919876500001".into(), &"owner@example.com".into()));
}
