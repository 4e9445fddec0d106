//! Searches below one parent of the catalogue for plain text in names, codes and descriptions.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use crate::support::{Reply, TestApp};

const SEARCHES: [&str; 4] = [
    "/api/utils/brands/search/",
    "/api/utils/brands/TATA/models/search/",
    "/api/utils/brands/TATA/models/NEXON/categories/search/",
    "/api/utils/brands/TATA/models/NEXON/categories/BRK/products/search/",
];
const PRODUCTS: &str = SEARCHES[3];

async fn search(app: &TestApp, path: &str, query: &[(&str, &str)]) -> Reply {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let query: Vec<String> = query.iter().map(|(name, text)| format!("{name}={}", encoded(text))).collect();
    app.anonymous().get(&format!("{path}?{}", query.join("&"))).await
}

async fn found(app: &TestApp, q: &str) -> Vec<String> {
    let reply = search(app, PRODUCTS, &[("q", q)]).await.expect(200);
    let codes = reply["results"].as_array().expect("results").iter();
    codes.map(|product| product["product_code"].as_str().expect("a code").to_owned()).collect()
}

#[tokio::test]
async fn each_level_is_searched_by_name_and_code_whatever_the_case() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    for (path, queries) in SEARCHES.iter().zip([
        ["tata", "MOTORS", "a m"],
        ["nex", "NEXON", "xo"],
        ["brak", "BRK", "rake"],
        ["front", "BRAKE PAD", "t b"],
    ]) {
        for q in queries {
            let reply = search(&app, path, &[("q", q)]).await.expect(200);
            assert_eq!(reply["results"].as_array().map(Vec::len), Some(1), "{path} {q}");
            assert_eq!(reply["next_cursor"], Value::Null);
        }
        let reply = search(&app, path, &[("q", "no such thing")]).await.expect(200);
        assert_eq!(reply.json, json!({ "results": [], "next_cursor": null }));
    }
}

#[tokio::test]
async fn products_are_found_by_their_description_too_and_results_look_like_the_list() {
    let app = TestApp::start().await;
    app.products_named(&[("A1", "Pump", "With a CERAMIC seal"), ("X2", "Été pump", "plain")]).await;
    assert_eq!(found(&app, "ceramic").await, ["A1"]);
    assert_eq!(found(&app, " pump ").await, ["A1", "X2"]);
    assert_eq!(found(&app, "ÉTÉ").await, ["X2"]);
    assert_eq!(found(&app, "x2").await, ["X2"]);
    let list = app.anonymous().get(&PRODUCTS.replace("search/", "")).await.expect(200);
    let results = search(&app, PRODUCTS, &[("q", "a pad")]).await.expect(200);
    assert_eq!(results["results"][0], list["products"][0]);
}

/// Texts to search for, and the product that each of them finds among those of the test below.
const WRITTEN_OTHERWISE: [(&str, &str); 15] = [
    ("citroe", "C1"),
    ("CITROE\u{308}N", "C1"),
    ("Citroën  pàd", "C1"),
    ("selection D'OEUVRE", "C1"),
    ("iç", "T1"),
    ("IC LAMBA", "T1"),
    ("kirmizi", "T1"),
    ("तऱ्हा", "I1"),
    ("क्\u{200d}ष", "I1"),
    ("ऱ्\u{200c}ह", "I1"),
    ("कि", "I1"),
    ("a-1.b", "A-1.B"),
    ("one line two", "A-1.B"),
    ("m8x25", "M8"),
    ("bolt M8×25", "M8"),
];

#[tokio::test]
async fn accents_normal_forms_and_joiners_make_no_difference() {
    let app = TestApp::start().await;
    app.products_named(&[
        ("C1", "Citroën Pad", "Sélection d'œuvre"),
        ("T1", "İç Lamba", "Kırmızı"),
        ("I1", "तऱ्\u{200d}हा क्\u{200d}ष", "कि"),
        ("A-1.B", "Plain", "Line one\nline  two"),
        ("M8", "Bolt M8×25", "Steel"),
    ])
    .await;
    for (q, code) in WRITTEN_OTHERWISE {
        assert_eq!(found(&app, q).await, [code], "{q}");
    }
    assert_eq!(found(&app, "कु").await, [""; 0]);
    assert_eq!(found(&app, "plain a-1").await, [""; 0], "nothing is found across two texts");
    assert_eq!(found(&app, "\u{301}").await, [""; 0]);
}

#[tokio::test]
async fn a_change_changes_what_is_found() {
    let app = TestApp::start().await;
    let staff = app.products_named(&[("C1", "Citroën", "x")]).await;
    let update = format!("{}update/C1/", PRODUCTS.replace("utils", "admin").replace("search/", ""));
    staff.put(&update, &json!({ "product_name": "Škoda Ölfilter" })).await.expect(200);
    assert_eq!(found(&app, "skoda ol").await, ["C1"]);
    assert_eq!(found(&app, "citro").await, [""; 0]);
    staff.put(&update, &json!({ "description": "Größe" })).await.expect(200);
    assert_eq!(found(&app, "GROSSE").await, ["C1"]);
    let brand = json!({ "brand_name": "Ørsted" });
    staff.put("/api/admin/brands/update/tata/", &brand).await.expect(200);
    let brands = search(&app, SEARCHES[0], &[("q", "orsted")]).await.expect(200);
    assert_eq!(brands["results"][0]["brand_code"], "TATA");
}

#[tokio::test]
async fn what_another_program_has_changed_is_found_as_it_is() {
    let app = TestApp::start().await;
    app.products_named(&[("C1", "Pump", "x")]).await;
    app.products().update_one(doc! { "own_code": "C1" }, doc! { "$set": { "name": "Hose" } }).await.expect("an update");
    assert_eq!(found(&app, "HOS").await, ["C1"]);
    let bare = doc! { "$unset": { "search_text": "", "search_form": "" } };
    app.products().update_many(doc! {}, bare).await.expect("an update");
    assert_eq!(found(&app, "hose").await, ["C1"]);
    let strange = doc! { "$set": { "description": 5, "own_code": ["x"], "updated_at": "then" } };
    app.products().update_one(doc! { "own_code": { "$ne": "C1" } }, strange).await.expect("an update");
    app.another_instance().await;
    let complete = doc! { "search_form": 3, "search_text": { "$type": "string" } };
    assert_eq!(app.products().count_documents(complete).await.expect("a count"), 2);
}

#[tokio::test]
async fn nothing_in_a_search_is_a_pattern() {
    let app = TestApp::start().await;
    let marks = ". * + ? ^ $ ( ) [ ] { } | \\ / # & - \\E \\Q \\d $where {$ne:1}";
    let staff = app.products_named(&[("A1", "Pump", marks), ("B2", "Other", "none of it")]).await;
    for mark in [".*", "^", "$", "(", "[a-z]", "|", "\\", "\\E", "\\d+", "(?i)", "{$ne:1}", "a|o", "\\x00"] {
        let q = format!("{mark} ");
        let expected = marks.contains(q.trim());
        assert_eq!(found(&app, &q).await.contains(&"A1".to_owned()), expected, "{mark}");
        assert!(!found(&app, &q).await.contains(&"B2".to_owned()), "{mark}");
    }
    assert_eq!(found(&app, "( ) [ ]").await, ["A1"]);
    assert!(found(&app, "\u{202e}x").await.is_empty());
    for q in ["a%00b", "%00%00", "Pump%00", "a%0Ab", "%09Pump"] {
        let reply = staff.get(&format!("{PRODUCTS}?q={q}")).await;
        reply.refused(400, "the query must not contain control characters");
    }
}

#[tokio::test]
async fn a_search_needs_1_to_100_characters_a_limit_that_makes_sense_and_its_own_cursor() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    for path in SEARCHES {
        app.anonymous().get(path).await.refused(400, "missing required query parameter: q");
        for (q, error) in [
            ("", "missing required query parameter: q"),
            ("  ", "missing required query parameter: q"),
            (&"x".repeat(101), "q must be 1 to 100 characters"),
        ] {
            search(&app, path, &[("q", q)]).await.refused(400, error);
        }
        search(&app, path, &[("q", &"é".repeat(100))]).await.expect(200);
        search(&app, path, &[("q", "x")]).await.expect(200);
        for limit in ["0", "-3", "abc", "100000000000000000000"] {
            let reply = search(&app, path, &[("q", "xx"), ("limit", limit)]).await;
            reply.refused(400, "limit must be an integer between 1 and 100");
        }
    }
    let first = search(&app, SEARCHES[0], &[("q", "ta"), ("limit", "1"), ("cursor", "junk")]).await;
    first.refused(400, "cursor must come from next_cursor of the same list");
}

#[tokio::test]
async fn a_search_is_paged_and_its_cursor_is_good_for_itself_alone() {
    let app = TestApp::start().await;
    let names = ["A1", "A2", "A3", "A4", "A5"].map(|code| (code, "Pump", "x"));
    app.products_named(&names).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = search(&app, PRODUCTS, &[("q", "pump"), ("limit", "2"), ("cursor", &cursor)]).await.expect(200);
        seen.extend(page["results"].as_array().expect("results").iter().map(|found| found["product_code"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(seen, ["A1", "A2", "A3", "A4", "A5"].map(Value::from));
    for other in [("q", "pumps"), ("q", "front")] {
        let reply = search(&app, PRODUCTS, &[other, ("cursor", &cursor)]).await;
        reply.refused(400, "cursor must come from next_cursor of the same list");
    }
}

#[tokio::test]
async fn a_search_below_nothing_names_the_first_missing_level() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    for (path, error) in [
        ("NONE/models/search/?q=xx", "brand not found"),
        ("TATA/models/NONE/categories/search/?q=xx", "model not found"),
        ("TATA/models/NEXON/categories/NONE/products/search/?q=xx", "category not found"),
    ] {
        app.anonymous().get(&format!("/api/utils/brands/{path}")).await.refused(404, error);
    }
}

#[tokio::test]
async fn the_database_may_search_for_two_seconds_at_most() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    app.db.run_command(doc! { "profile": 2 }).await.expect("a profile");
    for path in SEARCHES {
        search(&app, path, &[("q", "xx")]).await.expect(200);
    }
    let profile = app.db.collection::<Document>("system.profile");
    let searches = profile.find(doc! { "command.filter.$or": { "$exists": true } }).await.expect("a profile");
    let searches: Vec<Document> = searches.try_collect().await.expect("searches");
    assert_eq!(searches.len(), 4);
    for search in searches {
        let command = search.get_document("command").expect("a command");
        assert_eq!(command.get("maxTimeMS").and_then(bson::Bson::as_i32), Some(2_000), "{command}");
    }
}
