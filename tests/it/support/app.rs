//! A server for one test, on a free port and an empty database, with a clock that can be moved.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bson::{Document, doc, oid::ObjectId};
use mongodb::{Client, Collection, Database};
use myspares::{
    app::App,
    config::Config,
    embedded::PrivateMongod,
    http::{Listeners, serve},
    integrations::clock::Clock,
    workers,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{
    Caller, Letter, PASSWORD, fresh_database, letters_in,
    mongod::{data_folder, named_mongod},
    shared_mongod_uri,
};

/// A running server.
pub struct TestApp {
    /// Where it serves, without a final slash.
    pub url: String,
    /// Its database, for what no call can bring about.
    pub db: Database,
    app: Arc<App>,
    clock: Clock,
    data_dir: PathBuf,
    order_to_stop: CancellationToken,
    /// Sees what is stored.
    auditor: OnceCell<Caller>,
}

/// The category that [`TestApp::product`] makes.
const CATEGORY: &str = "brands/TATA/models/NEXON/categories/BRK/";

/// Asks again and again until it is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came about that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl TestApp {
    /// A server with test settings.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A server with some settings of its own.
    pub async fn start_with(vars: &[(&str, &str)]) -> Self {
        Self::start_on(shared_mongod_uri(), &fresh_database(), vars, Clock::system()).await
    }

    /// A server whose clock only moves when the test moves it.
    pub async fn start_with_stopped_clock() -> Self {
        Self::start_on(shared_mongod_uri(), &fresh_database(), &[], Clock::stopped()).await
    }

    /// A server on a database that the test has started.
    pub async fn start_at(uri: &str) -> Self {
        Self::start_on(uri, &fresh_database(), &[], Clock::system()).await
    }

    /// One more instance on the same database, which reaches it in its own way.
    pub async fn another_instance_at(&self, uri: &str) -> Self {
        Self::start_on(uri, self.db.name(), &[], self.clock.clone()).await
    }

    /// A server on a mongod of its own, which the test may stop.
    pub async fn start_with_own_mongod(folder: &Path) -> (Self, PrivateMongod) {
        Self::start_on_own(folder, named_mongod().as_deref(), &[]).await
    }

    /// The same with some settings of its own.
    pub async fn start_with_own_mongod_and(folder: &Path, vars: &[(&str, &str)]) -> (Self, PrivateMongod) {
        Self::start_on_own(folder, named_mongod().as_deref(), vars).await
    }

    /// The same with another binary.
    pub async fn start_with_mongod(folder: &Path, binary: &Path) -> (Self, PrivateMongod) {
        Self::start_on_own(folder, Some(binary), &[]).await
    }

    async fn start_on_own(folder: &Path, binary: Option<&Path>, vars: &[(&str, &str)]) -> (Self, PrivateMongod) {
        let mongod = PrivateMongod::start(folder, binary).await.expect("a private mongod");
        let app = Self::start_on(mongod.uri(), &fresh_database(), vars, Clock::system()).await;
        (app, mongod)
    }

    /// One more instance on the same database, with the same clock.
    pub async fn another_instance(&self) -> Self {
        self.another_instance_with(&[]).await
    }

    /// One more instance on the same database, with the same clock and some settings of its own.
    pub async fn another_instance_with(&self, vars: &[(&str, &str)]) -> Self {
        Self::start_on(shared_mongod_uri(), self.db.name(), vars, self.clock.clone()).await
    }

    async fn start_on(uri: &str, database: &str, vars: &[(&str, &str)], clock: Clock) -> Self {
        let data_dir = data_folder(database);
        let defaults = [
            ("DATA_DIR", data_dir.to_str().expect("a plain path")),
            ("JWT_SECRET", "a secret that only the tests know"),
            ("BCRYPT_COST", "4"),
            ("RATE_LIMIT_SCALE", "0"),
            ("MONGO_DB_NAME", database),
        ];
        let config = Config::from_vars(defaults.iter().chain(vars).copied()).expect("valid settings");
        let listeners = Listeners::bind(config.host, 0).await.expect("a free port");
        let url = listeners.url();
        let app = App::connect(config, &SecretString::from(uri), clock.clone()).await.expect("the app starts");
        let order_to_stop = CancellationToken::new();
        tokio::spawn(serve(Arc::clone(&app), listeners, order_to_stop.clone().cancelled_owned()));
        let client = Client::with_uri_str(uri).await.expect("a client");
        let db = client.database(database);
        Self { url, db, app, clock, data_dir, order_to_stop, auditor: OnceCell::new() }
    }

    /// Tells it to stop, as SIGTERM does, and doesn't wait.
    pub fn tell_to_stop(&self) {
        self.order_to_stop.cancel();
    }

    /// The code in the newest SMS to a number, of those that were written to files.
    pub fn code_for(&self, number: &str) -> String {
        let files = fs::read_dir(self.data_dir.join("sms")).into_iter().flatten().flatten();
        let mut texts: Vec<(std::ffi::OsString, String)> =
            files.map(|file| (file.file_name(), fs::read_to_string(file.path()).expect("a text"))).collect();
        texts.sort();
        let newest = texts.into_iter().rev().find(|(_, text)| text.contains(&format!("To: {number}\n")));
        let text = newest.expect("an SMS").1;
        text.split("code is ").nth(1).expect("a code")[..6].to_owned()
    }

    /// How many SMS were written to files.
    pub fn sms_count(&self) -> usize {
        fs::read_dir(self.data_dir.join("sms")).into_iter().flatten().count()
    }

    /// The permissions of every file that it wrote in place of sending it, in `mail` or `sms`.
    pub fn permissions_in(&self, folder: &str) -> Vec<u32> {
        let files = fs::read_dir(self.data_dir.join(folder)).expect("a folder").flatten();
        files.map(|file| file.metadata().expect("a file").permissions().mode() & 0o777).collect()
    }

    /// Does everything that is due in the background.
    pub async fn work(&self) {
        workers::run_until_idle(&self.app).await.expect("the work is done");
    }

    /// Starts the workers, as a serving process does.
    pub fn start_workers(&self) -> workers::Workers {
        workers::Workers::start(&self.app)
    }

    /// The mails that were written to files, the oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        letters_in(&self.data_dir)
    }

    /// `{uid}/{token}/` of the link in the newest mail, once all mails are sent.
    pub async fn link(&self, page: &str) -> String {
        self.work().await;
        let newest = self.letters().pop().expect("a mail");
        newest.link(&format!("http://localhost:3000/{page}/")).expect("a link")
    }

    /// A new customer with an address, signed in.
    pub async fn customer_at(&self, email: &str) -> Caller {
        let mut body = self.new_account();
        body["email"] = json!(email);
        let mut caller = self.anonymous();
        let reply = caller.post("/api/auth/register/", &body).await.expect(201);
        caller.sign_in(&reply);
        caller
    }

    /// The mails that wait to be sent.
    pub fn outbox(&self) -> Collection<Document> {
        self.db.collection("outbox")
    }

    /// Moves the server's clock ahead.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// The server's time in Unix seconds.
    pub fn now_seconds(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// Somebody who isn't signed in.
    pub fn anonymous(&self) -> Caller {
        Caller::new(&self.url)
    }

    /// A new customer, signed in.
    pub async fn customer(&self) -> Caller {
        let mut caller = self.anonymous();
        let reply = caller.post("/api/auth/register/", &self.new_account()).await.expect(201);
        caller.sign_in(&reply);
        caller
    }

    /// A new member of staff, signed in.
    pub async fn staff(&self) -> Caller {
        self.with_role("staff").await
    }

    /// A new administrator, signed in.
    pub async fn admin(&self) -> Caller {
        self.with_role("admin").await
    }

    async fn with_role(&self, role: &str) -> Caller {
        let caller = self.customer().await;
        let id = ObjectId::parse_str(&caller.user_id).expect("an id");
        self.users().update_one(doc! { "_id": id }, doc! { "$set": { "role": role } }).await.expect("a role");
        caller
    }

    /// The body of a registration that nothing stands in the way of.
    pub fn new_account(&self) -> Value {
        let n = ObjectId::new().to_hex();
        let digits = u64::from_str_radix(&n[18..], 16).expect("hex") % 100_000_000;
        json!({ "username": format!("user {}", &n[12..]), "password": PASSWORD, "phone_number": format!("98{digits:08}") })
    }

    /// The accounts as stored.
    pub fn users(&self) -> Collection<Document> {
        self.db.collection("users")
    }

    /// The products as stored.
    pub fn products(&self) -> Collection<Document> {
        self.db.collection("products")
    }

    /// A brand with a model, a category and one product; returns the product as the API shows it.
    pub async fn product(&self, price: f64, stock: i64) -> Value {
        let staff = self.staff().await;
        let (base, image) = ("/api/admin/brands", "https://images.example.com/a.webp");
        staff
            .post(
                &format!("{base}/insert/"),
                &json!({ "brand_name": "Tata Motors", "brand_code": "TATA", "image_url": image }),
            )
            .await;
        staff
            .post(
                &format!("{base}/TATA/models/insert/"),
                &json!({ "model_name": "Nexon", "model_code": "NEXON", "image_url": image }),
            )
            .await;
        let category = json!({ "category_name": "Brakes", "category_code": "BRK", "image_url": image });
        staff.post(&format!("{base}/TATA/models/NEXON/categories/insert/"), &category).await;
        let code = ObjectId::new().to_hex()[14..].to_uppercase();
        let product = json!({ "product_name": "Front brake pad", "product_code": code, "description": "A pad",
            "price": price, "stock": stock, "image_url": image });
        let path = format!("{base}/TATA/models/NEXON/categories/BRK/products/insert/");
        staff.post(&path, &product).await.expect(201)["product"].clone()
    }

    /// A category `TATA-NEXON-BRK` with such products: code, name, description.
    pub async fn products_named(&self, products: &[(&str, &str, &str)]) -> Caller {
        self.product(1.0, 1).await;
        let staff = self.staff().await;
        for (code, name, description) in products {
            let body = json!({ "product_name": name, "product_code": code, "description": description, "price": 10,
                "stock": 5, "image_url": "/media/a.png" });
            staff.post(&format!("/api/admin/{CATEGORY}products/insert/"), &body).await.expect(201);
        }
        staff
    }

    /// Changes a product behind the server's back, as another instance might, and waits until the server has heard.
    pub async fn change_product(&self, product: &Value, update: Document) {
        let id = ObjectId::parse_str(product["_id"].as_str().expect("an id")).expect("an id");
        let changed = self.products().update_one(doc! { "_id": id }, update).await.expect("an update");
        assert_eq!(changed.matched_count, 1);
        let path = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
        let staff = self.auditor.get_or_init(|| self.staff()).await;
        eventually("customers see what is stored", || async {
            let (stored, shown) = (staff.get(&path).await, self.anonymous().get(&path).await);
            if stored["product"]["is_active"] == true { shown.json == stored.json } else { shown.status == 404 }
        })
        .await;
    }

    /// How many reads of the catalogue came from memory, went to the database, and went past the cache.
    pub async fn cache_reads(&self) -> [u64; 3] {
        let metrics = self.anonymous().get("/metrics").await.expect(200).text;
        ["hit", "miss", "bypass"].map(|outcome| {
            let start = format!("myspares_catalogue_reads_total{{cache=\"{outcome}\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
            line.expect("a count").parse().expect("a number")
        })
    }

    /// Waits until the server answers from its cache.
    pub async fn cache_is_in_use(&self) {
        eventually("a read is answered from memory", || async {
            let before = self.cache_reads().await[0];
            self.anonymous().get("/api/utils/brands/").await.expect(200);
            self.cache_reads().await[0] > before
        })
        .await;
    }
}
