//! Imports of a catalogue file into an empty database.
//!
//! The benchmark measures how long an import takes and how much memory the server needs.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use bson::{Document, doc};
use serde_json::{Value, json};

use super::{
    Bench,
    servers::{Served, myspares},
};

/// The number of rows in the smaller file.
const ROWS: usize = 20_000;
/// The time limit for the smaller file, in seconds.
const GOAL_SECONDS: f64 = 20.0;
/// The memory limit for the whole file, in bytes.
const GOAL_BYTES: u64 = 150_000_000;
/// The timeout of the client. It is long, because an import of the whole file may take minutes.
const PATIENCE: Duration = Duration::from_secs(1_800);
const NAME: &str = "bencher";
const PHONE: &str = "9700000001";
const PASSWORD: &str = "B3nch-mark";

/// Exports the existing catalogue. Then imports a part of the file and finally the whole file.
pub async fn measure(bench: &Bench) -> Value {
    let server = bench.server(&[]);
    let staff = Staff::sign_in(bench.folder.path(), bench.mongod.uri(), &server).await;
    let whole = staff.export().await;
    let end = whole.match_indices('\n').nth(ROWS).map_or(whole.len(), |(at, _)| at + 1);
    bench.clear_catalogue().await;
    let seconds = staff.import(whole[..end].to_owned()).await;
    let verdict = if seconds < GOAL_SECONDS { "ok" } else { "ABOVE" };
    println!("\nimport of {ROWS} rows: {seconds:.1} s (goal: under {GOAL_SECONDS:.0}) {verdict}");
    bench.clear_catalogue().await;
    let (rows, all) = (whole.lines().count() - 1, staff.import(whole).await);
    let peak = server.peak();
    let verdict = if peak < GOAL_BYTES { "ok" } else { "ABOVE" };
    println!(
        "import of {rows} rows: {all:.1} s, at most {:.0} MB resident (goal: under 150) {verdict}",
        peak as f64 / 1e6
    );
    json!({ "rows": ROWS, "seconds": seconds, "all_rows": rows, "all_seconds": all, "peak_bytes": peak })
}

impl Bench {
    async fn clear_catalogue(&self) {
        for level in ["brands", "models", "categories", "products"] {
            self.database.collection::<Document>(level).delete_many(doc! {}).await.expect("a deletion");
        }
    }
}

/// A signed-in administrator who may import and export.
pub struct Staff {
    client: reqwest::Client,
    url: String,
    access: String,
}

impl Staff {
    /// Creates an administrator and signs in.
    pub async fn sign_in(folder: &Path, mongo_uri: &str, server: &Served) -> Self {
        let mut command = myspares(folder, mongo_uri);
        command.args(["create-admin", "--username", NAME, "--phone", PHONE, "--password", PASSWORD]);
        let made = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
        assert!(made.success(), "no administrator was made");
        let client = reqwest::Client::builder().tls_certs_only([]).timeout(PATIENCE).build().expect("a client");
        let body = json!({ "phone_number": PHONE, "password": PASSWORD });
        let reply = client.post(format!("{}/api/auth/login/", server.url)).json(&body).send().await.expect("an answer");
        let reply: Value = reply.json().await.expect("JSON");
        let access = reply["access"].as_str().unwrap_or_else(|| panic!("no sign-in: {reply}")).to_owned();
        Self { client, url: server.url.clone(), access }
    }

    /// Returns the answer to a `GET`, which must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.access);
        let reply = request.send().await.and_then(reqwest::Response::error_for_status).expect("a success");
        reply.json().await.expect("JSON")
    }

    async fn export(&self) -> String {
        let request = self.client.get(format!("{}/api/admin/export/?format=csv", self.url)).bearer_auth(&self.access);
        let file = request.send().await.and_then(reqwest::Response::error_for_status).expect("an export");
        file.text().await.expect("a whole file")
    }

    /// Imports a file and returns how many seconds that took.
    async fn import(&self, file: String) -> f64 {
        let (rows, started) = (file.lines().count() - 1, Instant::now());
        let request = self.client.post(format!("{}/api/admin/import/", self.url)).bearer_auth(&self.access);
        let reply = request.header("content-type", "text/csv").body(file).send().await.expect("an answer");
        let reply: Value = reply.json().await.expect("JSON");
        assert_eq!(reply["inserted"], rows, "{reply}");
        started.elapsed().as_secs_f64()
    }
}
