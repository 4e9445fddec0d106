//! What the server does to the database when it starts.

use std::collections::BTreeMap;

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Database, IndexModel, options::IndexOptions};

use crate::support::{TempFolder, TestApp, myspares, shared_mongod_uri};

/// Returns the collections of a database with their validators and indexes.
async fn layout_of(db: &Database) -> BTreeMap<String, (Document, Vec<Document>)> {
    let mut layout = BTreeMap::new();
    for name in db.list_collection_names().await.expect("names") {
        let listed = db.list_collections().filter(doc! { "name": &name }).await.expect("a list");
        let listed: Vec<_> = listed.try_collect().await.expect("collections");
        let indexes = db.collection::<Document>(&name).list_indexes().await.expect("a list");
        let indexes: Vec<IndexModel> = indexes.try_collect().await.expect("indexes");
        let described = |value| bson::serialize_to_document(value).expect("a document");
        let mut indexes: Vec<Document> = indexes.iter().map(described).collect();
        indexes.sort_by_key(|index| index.get_str("name").expect("a name").to_owned());
        layout.insert(name, (listed[0].options.validator.clone().unwrap_or_default(), indexes));
    }
    layout
}

/// Returns how often each command that creates or changes something was sent to the database.
async fn writes(db: &Database) -> Vec<(&'static str, i64)> {
    let status = db.run_command(doc! { "serverStatus": 1 }).await.expect("a status");
    let commands = status.get_document("metrics").and_then(|metrics| metrics.get_document("commands"));
    let commands = commands.expect("counts of commands");
    let count = |name| commands.get_document(name).and_then(|command| command.get_i64("total")).expect("a count");
    ["create", "collMod", "createIndexes", "insert", "update"].map(|name| (name, count(name))).to_vec()
}

#[tokio::test]
async fn a_start_on_a_database_that_has_everything_only_reads() {
    let folder = TempFolder::new().expect("a folder");
    let (app, mongod) = TestApp::start_with_own_mongod(folder.path()).await;
    let before = writes(&app.db).await;
    assert!(before[0].1 >= 17 && before[2].1 >= 15 && before[4].1 >= 2, "the first start makes it all: {before:?}");
    let vars = [("MONGO_URI", mongod.uri()), ("MONGO_DB_NAME", app.db.name())];
    let started = myspares(folder.path(), &vars, &["export"]);
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    assert_eq!(writes(&app.db).await, before);
    mongod.stop().await;
}

#[tokio::test]
async fn what_is_missing_or_has_changed_is_as_before_after_a_start() {
    let app = TestApp::start().await;
    let before = layout_of(&app.db).await;
    app.products().drop_index("code").await.expect("no index");
    app.db.collection::<Document>("plans").drop().await.expect("no collection");
    app.db.run_command(doc! { "collMod": "users", "validator": {} }).await.expect("no validator");
    app.db.collection::<Document>("locks").delete_many(doc! {}).await.expect("no locks");
    assert_ne!(layout_of(&app.db).await, before);
    app.another_instance().await;
    assert_eq!(layout_of(&app.db).await, before);
    assert_eq!(app.db.collection::<Document>("locks").count_documents(doc! {}).await.expect("a count"), 2);
}

#[tokio::test]
async fn an_index_that_is_not_what_its_name_promises_ends_the_start() {
    let app = TestApp::start().await;
    app.products().drop_index("code").await.expect("no index");
    let options = IndexOptions::builder().name("code".to_owned()).build();
    let not_unique = IndexModel::builder().keys(doc! { "code": 1 }).options(options).build();
    app.products().create_index(not_unique).await.expect("an index");
    let folder = TempFolder::new().expect("a folder");
    let vars = [("MONGO_URI", shared_mongod_uri()), ("MONGO_DB_NAME", app.db.name())];
    let started = myspares(folder.path(), &vars, &["export"]);
    let told = String::from_utf8_lossy(&started.stderr).into_owned();
    assert_eq!(started.status.code(), Some(1), "{told}");
    assert!(told.contains("the database refused a command"), "{told}");
}
