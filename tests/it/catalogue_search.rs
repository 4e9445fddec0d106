//! Searching the whole catalogue: what is found, in which order, and what customers and staff see.

use std::time::Duration;

use bson::{Document, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use serde_json::json;

use crate::support::{
    Caller, Reply, TestApp,
    catalogue_file::{HEADER, import},
};

const SEARCH: &str = "/api/utils/search/";

async fn search(caller: &Caller, query: &[(&str, &str)]) -> Reply {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let query: Vec<String> = query.iter().map(|(name, text)| format!("{name}={}", encoded(text))).collect();
    caller.get(&format!("{SEARCH}?{}", query.join("&"))).await
}

/// Reads all pages of a search and returns the codes of the products found.
async fn found(caller: &Caller, query: &[(&str, &str)]) -> Vec<String> {
    let (mut codes, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = search(caller, &[query, &[("cursor", cursor.as_str())]].concat()).await.expect(200);
        let results = page["results"].as_array().expect("results");
        codes.extend(results.iter().map(|product| product["product_code"].as_str().expect("a code").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return codes };
        cursor = next.to_owned();
    }
}

/// Starts a shop with products of several brands. Each product is given as full code, name, description, price, stock.
async fn shop(products: &[(&str, &str, &str, &str, i64)]) -> (TestApp, Caller) {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let at = "https://images.example.com/a.webp";
    let mut file = HEADER.to_owned();
    for (code, name, description, price, stock) in products {
        let [brand, model, category, own] = code.split('-').collect::<Vec<_>>()[..] else { panic!("{code}") };
        let parents = format!("{brand},Brand,{at},{model},Model,{at},{category},Parts,{at}");
        file.push_str(&format!("\n{parents},{own},{name},{description},{price},{stock},{at},,,,,true"));
    }
    let report = import(&staff, "text/csv", &file).await.expect(200);
    assert_eq!(report["inserted"], products.len(), "{}", report.text);
    (app, staff)
}

fn pads() -> [(&'static str, &'static str, &'static str, &'static str, i64); 7] {
    [
        ("KIA-SONET-BRK-Z1", "Hose", "Fits every brake and the pad", "70", 1),
        ("KIA-SONET-BRK-Z2", "Brake pad", "Ceramic", "60", 0),
        ("KIA-SONET-BRK-PADX", "Disc", "Plain", "50", 3),
        ("KIA-SELTOS-BRK-Z3", "Pad holder", "Steel", "40", 4),
        ("PADDY-ONE-FLT-Z4", "Filter", "Paper", "30", 5),
        ("PADDY-ONE-BRK-Z5", "Pad", "Pad of a pad", "20", 6),
        ("TATA-NEXON-FLT-Z6", "Seal", "Like KIA-SONET-BRK-Z", "10", 7),
    ]
}

#[tokio::test]
async fn the_best_come_first_and_every_find_once() {
    let (app, _) = shop(&pads()).await;
    let anybody = app.anonymous();
    // The ranking is: full code, own code, beginning of the name, words of the name, description.
    let ranked = ["Z5", "Z4", "PADX", "Z3", "Z2", "Z1"];
    for limit in ["1", "2", "3", "100"] {
        assert_eq!(found(&anybody, &[("q", "pad"), ("limit", limit)]).await, ranked, "{limit}");
    }
    assert_eq!(found(&anybody, &[("q", "pad brake")]).await, ["Z2", "Z1"]);
    assert_eq!(found(&anybody, &[("q", "brake pad")]).await, ["Z2", "Z1"]);
    assert_eq!(found(&anybody, &[("q", "BR PA")]).await, ["Z2"]);
    assert_eq!(found(&anybody, &[("q", "d")]).await, ["PADX"; 1]);
    assert_eq!(found(&anybody, &[("q", "kia-son")]).await, ["PADX", "Z1", "Z2", "Z6"]);
    assert_eq!(found(&anybody, &[("q", "nothing")]).await, [""; 0]);
    // A text with four parts, like a full code, finds only the products whose full code begins with it.
    for (sort, codes) in [("relevance", ["Z1", "Z2"]), ("price", ["Z2", "Z1"]), ("-price", ["Z1", "Z2"])] {
        for limit in ["1", "20"] {
            let query = [("q", "kia-sonet-brk-z"), ("sort", sort), ("limit", limit)];
            assert_eq!(found(&anybody, &query).await, codes, "{sort}");
        }
    }
    assert_eq!(found(&anybody, &[("q", "like-kia-sonet-brk"), ("sort", "price")]).await, ["Z6"]);
}

#[tokio::test]
async fn finds_look_like_the_lists_and_are_sorted_as_asked() {
    let (app, _) = shop(&pads()).await;
    let anybody = app.anonymous();
    let by = async |sort: &str| found(&anybody, &[("q", "pad"), ("sort", sort), ("limit", "2")]).await;
    assert_eq!(by("price").await, ["Z5", "Z4", "Z3", "PADX", "Z2", "Z1"]);
    assert_eq!(by("-price").await, ["Z1", "Z2", "PADX", "Z3", "Z4", "Z5"]);
    assert_eq!(by("relevance").await, by("").await);
    let mut stored: Vec<Document> = app.products().find(doc! {}).await.expect("all").try_collect().await.expect("all");
    stored.sort_by_key(|product| std::cmp::Reverse(product.get_object_id("_id").expect("an id")));
    let stored: Vec<&str> = stored.iter().filter_map(|product| product.get_str("own_code").ok()).collect();
    assert_eq!(by("newest").await, stored.into_iter().filter(|code| *code != "Z6").collect::<Vec<_>>());
    let list = anybody.get("/api/utils/brands/TATA/models/NEXON/categories/FLT/products/").await.expect(200);
    let results = search(&anybody, &[("q", "seal")]).await.expect(200);
    assert_eq!(results.json, json!({ "results": list["products"], "next_cursor": null }));
}

#[tokio::test]
async fn what_is_found_is_narrowed_by_filters() {
    let (app, _) = shop(&pads()).await;
    let anybody = app.anonymous();
    for (filters, expected) in [
        (&[("brand", "KIA")][..], &["PADX", "Z3", "Z2", "Z1"][..]),
        (&[("brand", "kia"), ("model", "sonet")], &["PADX", "Z2", "Z1"]),
        (&[("model", "SONET")], &["PADX", "Z2", "Z1"]),
        (&[("category", "BRK")], &["Z5", "PADX", "Z3", "Z2", "Z1"]),
        (&[("brand", "PADDY"), ("category", "FLT")], &["Z4"]),
        (&[("model", "SON")], &[]),
        (&[("brand", "NOSUCH")], &[]),
        (&[("min_price", "40"), ("max_price", "60.00")], &["PADX", "Z3", "Z2"]),
        (&[("min_price", "60.01")], &["Z1"]),
        (&[("in_stock", "true"), ("brand", "KIA")], &["PADX", "Z3", "Z1"]),
        (&[("in_stock", "false")], &["Z2"]),
        (
            &[("brand", ""), ("model", " "), ("min_price", ""), ("in_stock", "")],
            &["Z5", "Z4", "PADX", "Z3", "Z2", "Z1"],
        ),
    ] {
        for page in ["1", "50"] {
            let query = [&[("q", "pad"), ("limit", page)], filters].concat();
            assert_eq!(found(&anybody, &query).await, expected, "{filters:?}");
        }
        let mut sorted = found(&anybody, &[&[("q", "pad"), ("sort", "price")], filters].concat()).await;
        sorted.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(sorted, expected, "{filters:?}");
    }
}

#[tokio::test]
async fn nothing_in_a_search_has_a_meaning() {
    let (app, _) = shop(&pads()).await;
    let anybody = app.anonymous();
    for q in ["-pad", "\"pad\"", "pad \"", "'pad", "pad*", "^pad", "(pad)", "pad -", "ｐａｄ", "{$ne: pad}"] {
        let codes = found(&anybody, &[("q", q)]).await;
        let everywhere = ["Z5", "Z3", "Z2", "Z1"];
        // The text with `$ne` contains the additional word "ne", so it finds nothing.
        let expected: &[&str] = if q.contains("ne") { &[] } else { &everywhere };
        assert_eq!(codes.iter().filter(|code| everywhere.contains(&code.as_str())).count(), expected.len(), "{q}");
    }
    for q in ["brake -pad", "-brake pad", "\"pad\" \"brake\"", "pad|brake", "brake.*pad"] {
        assert_eq!(found(&anybody, &[("q", q)]).await, ["Z2", "Z1"], "{q}");
    }
    for q in [".*", "^$", "p.d", "[0-9]+", "--", "\"\"", "$where", "pad nothing", "\u{10ffff}\u{10ffff}"] {
        for sort in ["relevance", "price"] {
            assert_eq!(found(&anybody, &[("q", q), ("sort", sort)]).await, [""; 0], "{q:?}");
        }
    }
}

#[tokio::test]
async fn what_a_search_does_not_take_is_said() {
    let (app, _) = shop(&pads()[..1]).await;
    let anybody = app.anonymous();
    for (name, value, error) in [
        ("q", "", "missing required query parameter: q"),
        ("q", "\u{a0}\u{3000}", "missing required query parameter: q"),
        ("q", &"x".repeat(101), "q must be 1 to 100 characters"),
        ("brand", "A-B", "brand must be a code of 2 to 10 letters and digits"),
        ("model", ".*", "model must be a code of 2 to 10 letters and digits"),
        ("category", "ABCDEFGHIJK", "category must be a code of 2 to 10 letters and digits"),
        ("min_price", "cheap", "min_price must be a number with at most two decimals"),
        ("max_price", "-1", "max_price must be a number with at most two decimals"),
        ("max_price", "9.999", "max_price must be a number with at most two decimals"),
        ("in_stock", "yes", "in_stock must be true or false"),
        ("sort", "name", "sort must be relevance, price, -price or newest"),
        ("limit", "0", "limit must be an integer between 1 and 100"),
        ("cursor", "junk", "cursor must come from next_cursor of the same list"),
    ] {
        let query = if name == "q" { vec![(name, value)] } else { vec![("q", "pad"), (name, value)] };
        let refused = search(&anybody, &query).await.refused(400, error);
        assert!(refused["fields"][name].is_string(), "{name}");
    }
    let reply = search(&anybody, &[("q", "pad"), ("min_price", "2"), ("max_price", "1")]).await;
    reply.refused(400, "min_price must not be above max_price");
    anybody.get(SEARCH).await.refused(400, "missing required query parameter: q");
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_search_alone() {
    let (app, _) = shop(&pads()).await;
    let anybody = app.anonymous();
    let first = search(&anybody, &[("q", "pad"), ("limit", "2")]).await.expect(200);
    let cursor = first["next_cursor"].as_str().expect("a next page");
    for other in [("q", "pads"), ("sort", "price"), ("brand", "KIA"), ("in_stock", "true"), ("min_price", "1")] {
        let q = if other.0 == "q" { other } else { ("q", "pad") };
        let reply = search(&anybody, &[q, other, ("cursor", cursor)]).await;
        reply.refused(400, "cursor must come from next_cursor of the same list");
    }
    search(&anybody, &[("q", "pad"), ("limit", "7"), ("cursor", cursor)]).await.expect(200);
}

#[tokio::test]
async fn finds_follow_every_change() {
    let (app, staff) = shop(&pads()[..2]).await;
    app.cache_is_in_use().await;
    let anybody = app.anonymous();
    let path = "/api/admin/brands/KIA/models/SONET/categories/BRK/products/";
    assert_eq!(found(&anybody, &[("q", "brake")]).await, ["Z2", "Z1"]);
    staff.put(&format!("{path}update/Z2/"), &json!({ "product_name": "Drum lining" })).await.expect(200);
    assert_eq!(found(&anybody, &[("q", "brake")]).await, ["Z1"]);
    assert_eq!(found(&anybody, &[("q", "lin dru")]).await, ["Z2"]);
    staff.put(&format!("{path}update/Z2/"), &json!({ "is_active": false })).await.expect(200);
    assert_eq!(found(&anybody, &[("q", "drum")]).await, [""; 0]);
    assert_eq!(found(&staff, &[("q", "drum")]).await, ["Z2"]);
    let new = json!({ "product_name": "Brake drum", "product_code": "Z9", "description": "x", "price": 1, "stock": 1,
        "image_url": "https://images.example.com/a.png" });
    staff.post(&format!("{path}insert/"), &new).await.expect(201);
    assert_eq!(found(&anybody, &[("q", "drum")]).await, ["Z9"]);
    staff.delete(&format!("{path}delete/Z9/")).await.expect(200);
    assert_eq!(found(&anybody, &[("q", "drum")]).await, [""; 0]);
}

#[tokio::test]
async fn pages_hold_when_another_program_has_renamed_or_added_products() {
    let (app, _) = shop(&pads()).await;
    let anybody = app.anonymous();
    let renamed = doc! { "$set": { "name": "Zzz pad" } };
    app.products().update_one(doc! { "own_code": "Z2" }, renamed).await.expect("an update");
    let mut keyless = app.products().find_one(doc! { "own_code": "Z5" }).await.expect("an answer").expect("a product");
    keyless.remove("name_key");
    keyless.remove("words");
    keyless.extend(doc! { "_id": ObjectId::new(), "code": "TATA-NEXON-FLT-Z7", "own_code": "Z7", "name": "Pad kit" });
    app.products().insert_one(keyless).await.expect("a product");
    let expected = ["Z5", "Z4", "PADX", "Z3", "Z2", "Z1", "Z7"];
    for limit in ["1", "3", "100"] {
        assert_eq!(found(&anybody, &[("q", "pad"), ("limit", limit)]).await, expected, "{limit}");
    }
    // The next start adds the missing search keys.
    let restarted = app.another_instance().await;
    let expected = ["Z5", "Z4", "PADX", "Z3", "Z7", "Z2", "Z1"];
    let found = found(&restarted.anonymous(), &[("q", "pad"), ("limit", "2")]).await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn staff_find_more_and_their_finds_are_not_kept() {
    let (app, staff) = shop(&pads()[..2]).await;
    let answer = search(&staff, &[("q", "brake")]).await.expect(200);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let mut stranger = app.anonymous();
    stranger.access = Some("no token of ours".to_owned());
    search(&stranger, &[("q", "brake")]).await.expect(200).tells_of_bad_bearer();
}

#[tokio::test]
async fn finds_are_kept_and_only_searches_of_the_database_are_counted() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1"), ("LIMIT_SEARCH", "2/1m")]).await;
    app.cache_is_in_use().await;
    let anybody = app.anonymous();
    let reply = search(&anybody, &[("q", "pad")]).await.expect(200);
    assert_eq!(reply.header("cache-control"), "public, no-cache");
    for _ in 0..5 {
        let again = anybody.request(reqwest::Method::GET, &format!("{SEARCH}?q=%70%61%64"));
        Reply::of(again.header("if-none-match", reply.header("etag"))).await.expect(304);
    }
    search(&anybody, &[("q", "disc")]).await.expect(200);
    let refused = search(&anybody, &[("q", "hose")]).await;
    let refused = refused.refused(429, "too many searches from here, try again in a moment");
    assert!(!refused.header("retry-after").is_empty());
    search(&anybody, &[("q", "pad")]).await.expect(200);
    app.advance(Duration::from_secs(61));
    search(&anybody, &[("q", "hose")]).await.expect(200);
}

#[tokio::test]
async fn the_database_may_look_for_two_seconds_at_most() {
    let (app, _) = shop(&pads()[..2]).await;
    app.db.run_command(doc! { "profile": 2 }).await.expect("a profile");
    for sort in ["relevance", "price"] {
        search(&app.anonymous(), &[("q", "brake"), ("sort", sort)]).await.expect(200);
    }
    let profile = app.db.collection::<Document>("system.profile");
    let searches = profile.find(doc! { "command.find": "products", "command.filter.$and": { "$exists": true } });
    let searches: Vec<Document> = searches.await.expect("a profile").try_collect().await.expect("searches");
    assert_eq!(searches.len(), 6);
    for search in searches {
        let limit = search.get_document("command").expect("a command").get("maxTimeMS").and_then(bson::Bson::as_i32);
        assert!(limit.is_some_and(|millis| (1..=2_000).contains(&millis)), "{search}");
    }
}

/// Inserts many products without search keys, as another program might do. The next start adds the keys.
async fn many(app: &TestApp, count: usize) {
    let parts = ["Brake pad", "Oil filter", "Water pump", "Head lamp", "Clutch cable", "Spark plug", "Fuel hose"];
    let product = |n: usize| {
        let (own, part) = (format!("P{n:05}"), parts[n % parts.len()]);
        doc! { "_id": ObjectId::new(), "parent_id": ObjectId::new(), "parent": "TATA-NEXON-BRK", "own_code": &own,
        "code": format!("TATA-NEXON-BRK-{own}"), "name": format!("{part} {n:05} left"),
        "description": format!("A {part} of the left side, number {n}"), "image_url": "https://images.example.com/a.png",
        "price": i64::try_from(n).expect("a price"), "stock": 5_i64, "is_active": true,
        "created_at": bson::DateTime::now(), "updated_at": bson::DateTime::now() }
    };
    let products: Vec<Document> = (0..count).map(product).collect();
    app.products().insert_many(products).await.expect("products");
}

#[tokio::test]
async fn among_thousands_the_one_that_is_meant_comes_first() {
    let first = TestApp::start().await;
    many(&first, 6_000).await;
    let app = first.another_instance().await;
    let anybody = app.anonymous();
    for n in [0, 7, 4_711, 5_999] {
        let product = app.products().find_one(doc! { "own_code": format!("P{n:05}") }).await.expect("an answer");
        let product = product.expect("a product");
        let (code, name) = (product.get_str("code").expect("a code"), product.get_str("name").expect("a name"));
        let words: Vec<&str> = name.split(' ').collect();
        let queries = [
            code.to_owned(),
            code.to_lowercase(),
            format!("p{n:05}"),
            name.to_owned(),
            name.to_uppercase(),
            name[..name.len() - 3].to_owned(),
            format!("{} {}", words[2], words[0]),
            format!("{} {}", words[1], words[2]),
            format!("\"{}\" -{}", words[2], words[1]),
        ];
        for q in queries {
            let reply = search(&anybody, &[("q", &q), ("limit", "5")]).await.expect(200);
            assert_eq!(reply["results"][0]["code"], code, "{q}");
        }
    }
    let all = search(&anybody, &[("q", "brake pad"), ("limit", "100")]).await.expect(200);
    assert_eq!(all["results"].as_array().map(Vec::len), Some(100));
}
