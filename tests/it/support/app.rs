//! A server for one test, with a free port, an empty database and a clock that the test can move forward.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::{Duration, Instant},
};

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use mongodb::{Client, Collection, Database};
use myspares::{
    app::App,
    clock::Clock,
    config::Config,
    embedded::PrivateMongod,
    http::{Listeners, serve},
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

/// A running server with its database, clock and data folder.
pub struct TestApp {
    /// The base URL, without a final slash.
    pub url: String,
    /// The database of the server, for changes and checks that no call can make.
    pub db: Database,
    app: Arc<App>,
    clock: Clock,
    data_dir: PathBuf,
    order_to_stop: CancellationToken,
    /// A member of staff, whose reads always show the stored state.
    auditor: OnceCell<Caller>,
}

/// The category that [`TestApp::product`] inserts.
const CATEGORY: &str = "brands/TATA/models/NEXON/categories/BRK/";

/// Calls `is_so` again and again until it returns true, and panics after 30 seconds. `what` names the condition.
pub async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within 30 seconds: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Prints the warnings and errors of the servers. They appear in the report of a test that fails.
fn print_warnings() {
    static PRINTING: Once = Once::new();
    PRINTING.call_once(|| {
        let printed = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer();
        printed.init();
    });
}

impl TestApp {
    /// Starts a server with the test settings.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with additional settings.
    pub async fn start_with(vars: &[(&str, &str)]) -> Self {
        Self::start_on(shared_mongod_uri(), &fresh_database(), vars, Clock::system()).await
    }

    /// Starts a server whose clock moves only when the test calls [`TestApp::advance`].
    pub async fn start_with_stopped_clock() -> Self {
        Self::start_on(shared_mongod_uri(), &fresh_database(), &[], Clock::stopped()).await
    }

    /// Starts a server on a database that the test has started.
    pub async fn start_at(uri: &str) -> Self {
        Self::start_on(uri, &fresh_database(), &[], Clock::system()).await
    }

    /// Starts another instance that connects to the same database by a different connection string.
    pub async fn another_instance_at(&self, uri: &str) -> Self {
        Self::start_on(uri, self.db.name(), &[], self.clock.clone()).await
    }

    /// Starts a server with its own mongod, which the test may stop.
    pub async fn start_with_own_mongod(folder: &Path) -> (Self, PrivateMongod) {
        Self::start_on_own(folder, named_mongod().as_deref(), &[]).await
    }

    /// Starts a server with its own mongod and with additional settings.
    pub async fn start_with_own_mongod_and(folder: &Path, vars: &[(&str, &str)]) -> (Self, PrivateMongod) {
        Self::start_on_own(folder, named_mongod().as_deref(), vars).await
    }

    /// Starts a server with its own mongod from another binary.
    pub async fn start_with_mongod(folder: &Path, binary: &Path) -> (Self, PrivateMongod) {
        Self::start_on_own(folder, Some(binary), &[]).await
    }

    async fn start_on_own(folder: &Path, binary: Option<&Path>, vars: &[(&str, &str)]) -> (Self, PrivateMongod) {
        let mongod = PrivateMongod::start(folder, binary).await.expect("a private mongod");
        let app = Self::start_on(mongod.uri(), &fresh_database(), vars, Clock::system()).await;
        (app, mongod)
    }

    /// Starts another instance on the same database with the same clock.
    pub async fn another_instance(&self) -> Self {
        self.another_instance_with(&[]).await
    }

    /// Starts another instance on the same database with the same clock and with additional settings.
    pub async fn another_instance_with(&self, vars: &[(&str, &str)]) -> Self {
        Self::start_on(shared_mongod_uri(), self.db.name(), vars, self.clock.clone()).await
    }

    async fn start_on(uri: &str, database: &str, vars: &[(&str, &str)], clock: Clock) -> Self {
        print_warnings();
        let data_dir = data_folder(database);
        let defaults = [
            ("DATA_DIR", data_dir.to_str().expect("a plain path")),
            ("JWT_SECRET", "a secret that only the tests know"),
            ("BCRYPT_COST", "4"),
            ("RATE_LIMIT_SCALE", "0"),
            ("IMAGE_TRASH_DAYS", "0"),
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

    /// Tells the server to stop, as SIGTERM does, and returns at once.
    pub fn tell_to_stop(&self) {
        self.order_to_stop.cancel();
    }

    /// Returns the code in the newest text message to a number. The messages are files in the data folder.
    pub fn code_for(&self, number: &str) -> String {
        let files = fs::read_dir(self.data_dir.join("sms")).into_iter().flatten().flatten();
        let mut texts: Vec<(std::ffi::OsString, String)> =
            files.map(|file| (file.file_name(), fs::read_to_string(file.path()).expect("a text"))).collect();
        texts.sort();
        let newest = texts.into_iter().rev().find(|(_, text)| text.contains(&format!("To: {number}\n")));
        let text = newest.expect("an SMS").1;
        text.split("code is ").nth(1).expect("a code")[..6].to_owned()
    }

    /// Returns the number of text messages that the server wrote to files.
    pub fn sms_count(&self) -> usize {
        fs::read_dir(self.data_dir.join("sms")).into_iter().flatten().count()
    }

    /// Returns the permissions of all messages that the server wrote to files. `folder` is `mail` or `sms`.
    pub fn permissions_in(&self, folder: &str) -> Vec<u32> {
        let files = fs::read_dir(self.data_dir.join(folder)).expect("a folder").flatten();
        files.map(|file| file.metadata().expect("a file").permissions().mode() & 0o777).collect()
    }

    /// Runs all background work that is due.
    pub async fn work(&self) {
        workers::run_until_idle(&self.app).await.expect("the work is done");
    }

    /// Starts the background workers, as a serving process does.
    pub fn start_workers(&self) -> workers::Workers {
        workers::Workers::start(&self.app)
    }

    /// Returns the mails that the server wrote to files, the oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        letters_in(&self.data_dir)
    }

    /// Sends all waiting mails and returns the `{uid}/{token}/` part of the link in the newest one.
    pub async fn link(&self, page: &str) -> String {
        self.work().await;
        let newest = self.letters().pop().expect("a mail");
        newest.link(&format!("http://localhost:3000/{page}/")).expect("a link")
    }

    /// Signs up a new customer with an address.
    pub async fn customer_at(&self, email: &str) -> Caller {
        let mut body = self.new_account();
        body["email"] = json!(email);
        let mut caller = self.anonymous();
        let reply = caller.post("/api/auth/register/", &body).await.expect(201);
        caller.sign_in(&reply);
        caller
    }

    /// Returns how many requests the server works on, without the one that asks.
    pub async fn requests_in_flight(&self) -> usize {
        let metrics = self.anonymous().get("/metrics").await.expect(200).text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("myspares_requests_in_flight "));
        line.and_then(|number| number.parse::<usize>().ok()).expect("a number") - 1
    }

    /// Returns the names of the collections with a document that contains an id, at any depth.
    pub async fn collections_naming(&self, id: &str) -> BTreeSet<String> {
        let id = Bson::from(ObjectId::parse_str(id).expect("an id"));
        let mut found = BTreeSet::new();
        for name in self.db.list_collection_names().await.expect("collections") {
            let mut documents = self.db.collection::<Document>(&name).find(doc! {}).await.expect("documents");
            while let Some(document) = documents.try_next().await.expect("a document") {
                if contains(&Bson::from(document), &id) {
                    found.insert(name.clone());
                }
            }
        }
        found
    }

    /// Returns the collection of mails that wait to be sent.
    pub fn outbox(&self) -> Collection<Document> {
        self.db.collection("outbox")
    }

    /// Moves the clock of the server forward.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Returns the time of the server in Unix seconds.
    pub fn now_seconds(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// Returns a caller who is not signed in.
    pub fn anonymous(&self) -> Caller {
        Caller::new(&self.url)
    }

    /// Signs up a new customer.
    pub async fn customer(&self) -> Caller {
        let mut caller = self.anonymous();
        let reply = caller.post("/api/auth/register/", &self.new_account()).await.expect(201);
        caller.sign_in(&reply);
        caller
    }

    /// Signs up a new member of staff.
    pub async fn staff(&self) -> Caller {
        self.with_role("staff").await
    }

    /// Signs up a new administrator.
    pub async fn admin(&self) -> Caller {
        self.with_role("admin").await
    }

    async fn with_role(&self, role: &str) -> Caller {
        let caller = self.customer().await;
        let id = ObjectId::parse_str(&caller.user_id).expect("an id");
        self.users().update_one(doc! { "_id": id }, doc! { "$set": { "role": role } }).await.expect("a role");
        caller
    }

    /// Returns the body of a valid registration. Its name and number are new.
    pub fn new_account(&self) -> Value {
        let n = ObjectId::new().to_hex();
        let digits = u64::from_str_radix(&n[18..], 16).expect("hex") % 100_000_000;
        json!({ "username": format!("user {}", &n[12..]), "password": PASSWORD, "phone_number": format!("98{digits:08}") })
    }

    /// Returns the collection of accounts.
    pub fn users(&self) -> Collection<Document> {
        self.db.collection("users")
    }

    /// Returns the collection of products.
    pub fn products(&self) -> Collection<Document> {
        self.db.collection("products")
    }

    /// Inserts a product into the category `TATA-NEXON-BRK` and returns it as the API shows it.
    ///
    /// The first call also inserts the brand, the model and the category.
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

    /// Inserts products into the category `TATA-NEXON-BRK` and returns a member of staff.
    ///
    /// Each product is given as code, name and description. The category also has one product with a random code.
    pub async fn products_named(&self, products: &[(&str, &str, &str)]) -> Caller {
        self.product(1.0, 1).await;
        let staff = self.staff().await;
        for (code, name, description) in products {
            let body = json!({ "product_name": name, "product_code": code, "description": description, "price": 10,
                "stock": 5, "image_url": "https://images.example.com/a.png" });
            staff.post(&format!("/api/admin/{CATEGORY}products/insert/"), &body).await.expect(201);
        }
        staff
    }

    /// Changes a product directly in the database, as another instance might, and waits until customers see the change.
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

    /// Returns three counts of catalogue reads: answered from memory, read into the cache, and read without the cache.
    pub async fn cache_reads(&self) -> [u64; 3] {
        let metrics = self.anonymous().get("/metrics").await.expect(200).text;
        ["hit", "miss", "bypass"].map(|outcome| {
            let start = format!("myspares_catalogue_reads_total{{cache=\"{outcome}\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&start));
            line.expect("a count").parse().expect("a number")
        })
    }

    /// Waits until the server answers reads from its cache.
    pub async fn cache_is_in_use(&self) {
        eventually("a read is answered from memory", || async {
            let before = self.cache_reads().await[0];
            self.anonymous().get("/api/utils/brands/").await.expect(200);
            self.cache_reads().await[0] > before
        })
        .await;
    }
}

fn contains(value: &Bson, wanted: &Bson) -> bool {
    match value {
        Bson::Document(fields) => fields.values().any(|value| contains(value, wanted)),
        Bson::Array(items) => items.iter().any(|value| contains(value, wanted)),
        value => value == wanted,
    }
}
