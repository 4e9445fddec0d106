//! Sign-ups, proofs and password resets with phone numbers and addresses.

use std::time::Duration;

use bson::{Document, doc};
use serde_json::{Value, json};

use super::{Caller, PASSWORD, Reply, TestApp, eventually};

/// The password that a reset sets.
pub const NEW_PASSWORD: &str = "N3w-gasket!";
const FORGOT: &str = "/api/auth/forgot-password";

impl TestApp {
    /// Signs up without a code. The number and the address are only claimed.
    pub async fn claims(&self, username: &str, number: Option<&str>, email: Option<&str>) -> Caller {
        let body = json!({ "username": username, "password": PASSWORD, "phone_number": number, "email": email });
        let mut caller = self.anonymous();
        caller.sign_in(&caller.post("/api/auth/register/", &without_nulls(body)).await.expect(201));
        caller
    }

    /// Signs up with a code. The number is proven, and the address is only claimed.
    pub async fn proves_number(&self, username: &str, number: &str, email: Option<&str>) -> Caller {
        let mut caller = self.anonymous();
        let reply = self.tries_to_prove_number(&mut caller, username, number, email).await.expect(201);
        caller.sign_in(&reply);
        caller
    }

    /// Signs up with a code and returns the response to the code, which may be a refusal.
    pub async fn tries_to_prove_number(
        &self,
        caller: &mut Caller,
        username: &str,
        number: &str,
        email: Option<&str>,
    ) -> Reply {
        let body = json!({ "username": username, "password": PASSWORD, "phone_number": number, "email": email });
        let sent = caller.post("/api/auth/register/send-otp/", &without_nulls(body)).await.expect(200);
        caller.challenge = sent.challenge_cookie();
        let proof = json!({ "phone_number": number, "otp": self.code_for(number) });
        caller.post("/api/auth/register/verify-otp/", &proof).await
    }

    /// Confirms the address of the caller's account with the link from the mail.
    pub async fn proves_email(&self, caller: &Caller) {
        caller.post_empty(&self.activation(caller, None).await).await.expect(200);
    }

    /// Asks for a confirmation link and returns its path. Without `email` the link is for the address of the account.
    pub async fn activation(&self, caller: &Caller, email: Option<&str>) -> String {
        let body = without_nulls(json!({ "email": email, "current_password": PASSWORD }));
        caller.post("/api/request/request-staff/", &body).await.expect(200);
        format!("/api/request/activate-staff/{}", self.link("activate-staff").await)
    }

    /// Asks for a code to reset the password. Checks that a text message is sent only if it is `expected`.
    ///
    /// The caller keeps the challenge cookie.
    pub async fn asks_for_reset_code(&self, caller: &mut Caller, number: &str, expected: bool) {
        let codes = self.db.collection::<Document>("otp_codes");
        codes.delete_many(doc! {}).await.expect("no other code");
        let sent = caller.post(&format!("{FORGOT}/send/"), &json!({ "phone_number": number })).await.expect(200);
        assert_eq!(sent["message"], "if an account with the number exists, an OTP was sent.");
        caller.challenge = sent.challenge_cookie();
        let is_sent = || async { codes.count_documents(doc! { "is_sent": true }).await.expect("a count") == 1 };
        if expected {
            eventually("the SMS is sent", is_sent).await;
        } else {
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert!(!is_sent().await, "an SMS went to {number}");
        }
    }

    /// Sets a new password with a code. If this is not `allowed`, checks that no code is sent.
    pub async fn resets_by_number(&self, number: &str, allowed: bool) {
        let mut caller = self.anonymous();
        self.asks_for_reset_code(&mut caller, number, allowed).await;
        if !allowed {
            return;
        }
        let proof = json!({ "phone_number": number, "otp": self.code_for(number) });
        let reset_token = caller.post(&format!("{FORGOT}/verify/"), &proof).await.expect(200)["reset_token"].clone();
        let reset = json!({ "reset_token": reset_token, "new_password": NEW_PASSWORD });
        caller.post(&format!("{FORGOT}/reset/"), &reset).await.expect(200);
        self.advance(Duration::from_millis(2));
    }

    /// Sets a new password with a link. If this is not `allowed`, checks that no link is mailed.
    pub async fn resets_by_email(&self, identifier: &str, allowed: bool) {
        self.work().await;
        let before = self.letters_about("Set a new password");
        let ask = json!({ "identifier": identifier });
        // The answer is 404 if no account has the address any more.
        let status = self.anonymous().post("/api/request/forgot/confirm/", &ask).await.status;
        assert!(status == 200 || (!allowed && status == 404), "{status}");
        self.work().await;
        assert_eq!(self.letters_about("Set a new password"), before + usize::from(allowed), "mails to {identifier}");
        if !allowed {
            return;
        }
        let link = self.link("reset").await;
        let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
        let reset = json!({ "uid": uid, "token": token, "new_password": NEW_PASSWORD });
        self.anonymous().post("/api/request/reset/", &reset).await.expect(200);
        self.advance(Duration::from_millis(2));
    }

    /// Returns the number of mails with this subject.
    pub fn letters_about(&self, subject: &str) -> usize {
        self.letters().iter().filter(|letter| letter.header("Subject") == subject).count()
    }

    /// Sends all waiting mails and returns whether one with this subject went to the address.
    pub async fn has_told(&self, email: &str, subject: &str) -> bool {
        self.work().await;
        self.letters().iter().any(|mail| mail.header("To") == email && mail.header("Subject") == subject)
    }
}

fn without_nulls(body: Value) -> Value {
    let Value::Object(fields) = body else { return body };
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
