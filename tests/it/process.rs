//! The binary as a process: how it starts, stops and survives being killed, and its subcommands.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Caller, PASSWORD, Server, TempFolder, end, letters_in, myspares, start};

fn folder() -> TempFolder {
    TempFolder::new().expect("a folder")
}

async fn register(url: &str) -> Caller {
    let mut caller = Caller::new(url);
    let body = json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210" });
    let reply = caller.post("/api/auth/register/", &body).await.expect(201);
    caller.sign_in(&reply);
    caller
}

/// Returns the first product of a seeded catalogue.
async fn some_product(caller: &Caller) -> Value {
    let path = "/api/utils/brands/TATA/models/NEXON/categories/BRK/products/?limit=1";
    caller.get(path).await.expect(200)["products"][0].clone()
}

#[tokio::test]
async fn a_first_start_is_quick_and_every_way_to_stop_leaves_nothing_running() {
    let folder = folder();
    for (signal, code) in [(Signal::TERM, Some(0)), (Signal::INT, Some(0)), (Signal::KILL, None)] {
        let started = Instant::now();
        let mut server = Server::start(folder.path());
        assert!(started.elapsed() < Duration::from_secs(10), "the start took {:?}", started.elapsed());
        let (took, ended) = server.end(signal);
        assert_eq!(ended, code, "{signal:?}");
        assert!(took < Duration::from_secs(10), "{signal:?} took {took:?}");
        assert!(server.mongod_is_gone(), "{signal:?} left mongod");
    }
}

#[tokio::test]
async fn accounts_sessions_and_carts_survive_a_restart() {
    let folder = folder();
    let seeded = myspares(folder.path(), &[], &["seed", "--brands", "2", "--users", "0"]);
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let mut server = Server::start(folder.path());
    let caller = register(&server.url).await;
    caller.add(&some_product(&caller).await, 2).await.expect(200);
    server.end(Signal::TERM);
    let server = Server::start(folder.path());
    let again = caller.at(&server.url);
    assert_eq!(again.get(&again.cart()).await.expect(200)["cart"]["items"][0]["quantity"], 2);
    again.refresh().await.expect(200);
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_names_the_folder() {
    let folder = folder();
    let _server = Server::start(folder.path());
    let second = myspares(folder.path(), &[], &["serve"]);
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(told.contains("is in use by another myspares"), "{told}");
    assert!(told.contains(folder.path().file_name().and_then(|name| name.to_str()).expect("a name")), "{told}");
}

#[tokio::test]
async fn every_acknowledged_add_survives_ten_kills() {
    let folder = folder();
    let mut server = Server::start(folder.path());
    let product = plentiful_product(folder.path(), &server.url).await;
    let caller = register(&server.url).await;
    let (mut acknowledged, mut attempted) = (0, 0);
    for round in 0..10 {
        let here = caller.at(&server.url);
        let adding = tokio::spawn({
            let product = product.clone();
            async move { add_until_refused(&here, &product).await }
        });
        tokio::time::sleep(Duration::from_millis(60 + round * 20)).await;
        server.end(Signal::KILL);
        let done = adding.await.expect("counted");
        acknowledged += done;
        attempted += done + 1;
        assert!(server.mongod_is_gone(), "round {round} left mongod");
        server = Server::start(folder.path());
        let held = held(&caller.at(&server.url)).await;
        assert!((acknowledged..=attempted).contains(&held), "round {round}: {held} of {acknowledged} to {attempted}");
        // The kill interrupted one call. That call may have been stored or not.
        (acknowledged, attempted) = (held, held);
    }
}

/// Creates an administrator and returns them signed in.
async fn boss(folder: &Path, url: &str) -> Caller {
    let admin = ["create-admin", "--username", "boss", "--phone", "9876500000", "--password", PASSWORD];
    assert!(myspares(folder, &[], &admin).status.success());
    let mut boss = Caller::new(url);
    let reply =
        boss.post("/api/auth/login/", &json!({ "phone_number": "9876500000", "password": PASSWORD })).await.expect(200);
    boss.sign_in(&reply);
    boss
}

/// Inserts a product with a larger stock than any cart may hold.
async fn plentiful_product(folder: &Path, url: &str) -> Value {
    assert!(myspares(folder, &[], &["seed", "--brands", "2", "--users", "0"]).status.success());
    let boss = boss(folder, url).await;
    let product = json!({ "product_name": "Fuse", "product_code": "FUSE", "description": "A fuse", "price": 5,
        "stock": 1_000_000, "image_url": "https://images.example.com/fuse.png" });
    let path = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products/insert/";
    boss.post(path, &product).await.expect(201)["product"].clone()
}

/// Adds one piece after the other until the server is gone. Returns how many adds the server acknowledged.
async fn add_until_refused(caller: &Caller, product: &Value) -> i64 {
    let id = product["_id"].as_str().expect("an id");
    let mut done = 0;
    loop {
        let sent = caller.request(reqwest::Method::POST, &format!("{}add/{id}/", caller.cart())).send().await;
        match sent {
            Ok(answer) if answer.status() == 200 => done += 1,
            Ok(answer) => panic!("refused: {}", answer.status()),
            Err(_) => return done,
        }
    }
}

async fn held(caller: &Caller) -> i64 {
    let cart = caller.get(&caller.cart()).await.expect(200);
    cart["cart"]["items"][0]["quantity"].as_i64().unwrap_or(0)
}

#[test]
fn wrong_settings_are_all_told_and_end_with_code_2() {
    let folder = folder();
    for command in ["check-config", "serve"] {
        let wrong = [("PORT", "eighty"), ("BCRYPT_COST", "99"), ("COOKIE_SAMESITE", "none")];
        let output = myspares(folder.path(), &wrong, &[command]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(["PORT", "BCRYPT_COST", "COOKIE_SAMESITE"].iter().all(|name| told.contains(name)), "{told}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "nothing was started");
    assert!(myspares(folder.path(), &[], &["check-config"]).status.success());
}

#[test]
fn settings_also_come_from_a_file_and_the_environment_wins() {
    let folder = folder();
    fs::write(folder.path().join(".env"), "CURRENCY=EURO\nLOG_FORMAT=xml\n").expect("a file");
    let output = myspares(folder.path(), &[("LOG_FORMAT", "json")], &["check-config"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("CURRENCY") && !told.contains("LOG_FORMAT"), "{told}");
}

#[tokio::test]
async fn create_admin_works_beside_a_running_server_and_only_once() {
    let folder = folder();
    let server = Server::start(folder.path());
    let args = ["create-admin", "--username", "boss", "--phone", "9876500000", "--password", PASSWORD];
    let made = myspares(folder.path(), &[], &args);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(!String::from_utf8_lossy(&made.stdout).contains("9876500000"));
    let again = myspares(folder.path(), &[], &args);
    assert!(
        !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("phone number already registered")
    );
    let login = json!({ "phone_number": "9876500000", "password": PASSWORD });
    let reply = Caller::new(&server.url).post("/api/auth/login/", &login).await.expect(200);
    assert_eq!(reply["user"]["role"], "admin");
}

#[tokio::test]
async fn a_deletion_that_a_kill_cut_off_is_finished_after_the_restart() {
    let folder = folder();
    let seed = ["seed", "--brands", "1", "--models", "1", "--categories", "1", "--products", "6000", "--users", "0"];
    assert!(myspares(folder.path(), &[], &seed).status.success());
    let mut server = Server::start(folder.path());
    let boss = boss(folder.path(), &server.url).await;
    let path = "/api/utils/brands/";
    let code = boss.get(path).await.expect(200)["brands"][0]["brand_code"].as_str().expect("a code").to_owned();
    let deletion = boss.request(reqwest::Method::DELETE, &format!("/api/admin/brands/delete/{code}/")).send();
    let deletion = tokio::spawn(deletion);
    while boss.get(&format!("{path}{code}/")).await.status != 404 {}
    server.end(Signal::KILL);
    assert!(
        !deletion.await.expect("a call").is_ok_and(|answer| answer.status() == 200),
        "it was too quick to be cut off"
    );
    let mut server = Server::start(folder.path());
    let boss = boss.at(&server.url);
    let brand = json!({ "brand_name": "Again", "brand_code": code, "image_url": "https://images.example.com/a.png" });
    let insert = async || boss.post("/api/admin/brands/insert/", &brand).await;
    insert().await.refused(409, "brand_code already exists");
    let deadline = Instant::now() + Duration::from_secs(120);
    while insert().await.status != 201 {
        if Instant::now() > deadline {
            server.end(Signal::TERM);
            panic!("the deletion stands still: {}", server.log());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn set_password_lets_an_owner_back_in_and_ends_every_session() {
    let folder = folder();
    let server = Server::start(folder.path());
    let boss = boss(folder.path(), &server.url).await;
    let set = |name: &str, password: &str| {
        myspares(folder.path(), &[], &["set-password", "--username", name, "--password", password])
    };
    for (name, password, text) in [
        ("nobody", "N3w-gasket!", "user not found"),
        ("boss", "Admin@123", "too easy to guess"),
        ("boss", "x", "too long/short"),
    ] {
        let refused = set(name, password);
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains(text), "{text}");
    }
    boss.get("/api/accounts/me/").await.expect(200);
    let done = set("BOSS", "N3w-gasket!");
    assert!(done.status.success() && !String::from_utf8_lossy(&done.stdout).contains("N3w"));
    boss.get("/api/accounts/me/").await.expect(401);
    let mut again = Caller::new(&server.url);
    let login = json!({ "username": "boss", "password": "N3w-gasket!" });
    again.sign_in(&again.post("/api/auth/token/", &login).await.expect(200));
    let audits = again.get("/api/admin/audits/search/?q=password_set").await.expect(200);
    assert_eq!(audits["count"], 1, "{}", audits.text);
}

#[test]
fn create_admin_asks_for_nothing_where_nobody_can_answer() {
    let folder = folder();
    let output = myspares(folder.path(), &[], &["create-admin", "--username", "boss", "--phone", "9876500000"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--password"));
    assert!(!output.status.success());
}

#[test]
fn seeding_is_refused_in_production_and_on_a_filled_catalogue() {
    let folder = folder();
    let production = [
        ("APP_ENV", "production"),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ("BCRYPT_COST", "10"),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", "x"),
        ("TWILIO_VERIFY_SID", "VA1"),
        ("SMTP_URL", "smtp://localhost"),
    ];
    let output = myspares(folder.path(), &production, &["seed"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("refused in production"));
    assert!(myspares(folder.path(), &[], &["seed", "--brands", "1", "--users", "2"]).status.success());
    let twice = myspares(folder.path(), &[], &["seed"]);
    assert!(!twice.status.success() && String::from_utf8_lossy(&twice.stderr).contains("there is a catalogue already"));
}

#[tokio::test]
async fn what_runs_at_the_signal_is_finished_and_nothing_new_is_taken() {
    let folder = folder();
    let mut server = Server::start(folder.path());
    let caller = Caller::new(&server.url);
    let body = json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210" }).to_string();
    let (first, rest) = body.split_at(20);
    let address = server.url.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let mut upload = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /api/auth/register/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    );
    upload.write_all(head.as_bytes()).await.expect("half a request");
    // The response on another connection shows that the server has had time to read the first half of the request.
    caller.get("/readyz").await.expect(200);
    let ended = tokio::task::spawn_blocking(move || (server.end(Signal::TERM), server));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(Caller::new(&caller.url).request(reqwest::Method::GET, "/healthz").send().await.is_err());
    upload.write_all(rest.as_bytes()).await.expect("the other half");
    let mut answer = String::new();
    upload.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let ((took, code), server) = ended.await.expect("an end");
    assert!(code == Some(0) && took < Duration::from_secs(12), "{code:?} after {took:?}");
    assert!(server.mongod_is_gone());
}

#[tokio::test]
async fn work_in_the_background_may_be_left_to_a_process_of_its_own() {
    let folder = folder();
    let server = Server::start_as(folder.path(), &["serve", "--no-workers"]);
    let mut caller = Caller::new(&server.url);
    let body = json!({ "username": "john", "password": PASSWORD, "email": "john@example.com" });
    let reply = caller.post("/api/auth/register/", &body).await.expect(201);
    caller.sign_in(&reply);
    let change = json!({ "current_password": PASSWORD, "new_password": "N3w-gasket!" });
    caller.post("/api/accounts/password/", &change).await.expect(200);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(letters_in(folder.path()).is_empty());
    let mut work = start(folder.path(), &["work"]);
    let started = Instant::now();
    while letters_in(folder.path()).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10), "no mail");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (took, code) = end(&mut work, Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn the_log_tells_of_every_call_and_of_no_secret() {
    let folder = folder();
    let mut server = Server::start_with(folder.path(), &[("RUST_LOG", "debug"), ("LOG_FORMAT", "json")]);
    let mut caller = register(&server.url).await;
    let first = (caller.access.clone(), caller.refresh.clone());
    caller.take_tokens(&caller.refresh().await.expect(200));
    let wrong = json!({ "phone_number": "9876543210", "password": "Wr0ng!pass" });
    caller.post("/api/auth/login/", &wrong).await.expect(401);
    let taken = json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210" });
    caller.post("/api/auth/register/", &taken).await.expect(409);
    caller.get("/api/utils/brands/?q=9876543210").await.expect(200);
    caller.post_empty("/api/auth/logout/").await.expect(200);
    let waiting = json!({ "username": "asha", "password": PASSWORD, "phone_number": "9876500001" });
    let sent = caller.post("/api/auth/register/send-otp/", &waiting).await.expect(200);
    let sms = fs::read_dir(folder.path().join("sms")).expect("SMS").next().expect("one").expect("a file").path();
    let code = fs::read_to_string(sms).expect("a text").split("code is ").nth(1).expect("a code")[..6].to_owned();
    server.end(Signal::TERM);
    let log = server.log();
    assert_eq!(log.matches("\"target\":\"access\"").count(), 7, "{log}");
    let challenge = sent.challenge_cookie().expect("a challenge");
    assert!(!log.contains(&code) && !log.contains(&challenge) && !log.contains("9876500001"), "{log}");
    let secrets = [first.0, first.1, caller.access, caller.refresh].map(|token| token.expect("a token"));
    for secret in secrets.iter().map(String::as_str).chain([PASSWORD, "Wr0ng!pass", "9876543210", "$2b$"]) {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

#[tokio::test]
async fn any_folder_will_do_and_it_can_be_moved() {
    let parent = folder();
    let (odd, moved) = (parent.path().join("data, of a@b?c%d"), parent.path().join("moved"));
    fs::create_dir(&odd).expect("a folder");
    let mut server = Server::start(&odd);
    let caller = register(&server.url).await;
    server.end(Signal::TERM);
    fs::rename(&odd, &moved).expect("a new name");
    let server = Server::start(&moved);
    caller.at(&server.url).refresh().await.expect(200);
    let log = fs::metadata(moved.join("db/mongod.log")).expect("a log").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&log) & 0o777, 0o600);
}
