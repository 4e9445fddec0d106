//! Dry runs and modes of imports, and query parameters of the admin group.

use bson::{Document, doc};
use serde_json::{Value, json};

use crate::support::{
    TestApp,
    catalogue_file::{HEADER, export, filled, fresh, import, import_bytes, line, report},
};

const CSV: &str = "text/csv";
const JSON: &str = "application/x-ndjson";

async fn count(app: &TestApp, collection: &str) -> u64 {
    app.db.collection::<Document>(collection).count_documents(doc! {}).await.expect("a count")
}

/// Returns a row that says this and that about one of 200 products below one of three brands.
fn row(n: usize) -> Value {
    let (brand, code) = (format!("B{}", n % 3), format!("P{}", n * 7 % 200));
    let mut row = json!({ "brand_code": brand, "model_code": "M1", "category_code": "C1", "product_code": code });
    let mut set = |name: &str, value: Value| row[name] = value;
    let is_first = n < 650;
    for (level, name) in [("brand", &brand), ("model", &"Mx".to_owned()), ("category", &"Cx".to_owned())] {
        if is_first || n.is_multiple_of(11) {
            set(&format!("{level}_name"), json!(format!("{name}{}", if n % 97 == 96 { "!!" } else { "" })));
            set(&format!("{level}_image_url"), json!("/media/a.webp"));
        }
    }
    if is_first || n.is_multiple_of(5) {
        set("product_name", json!(["Pad", "Disc", "KÃ¼hler"][n % 13 % 3]));
        set("description", json!(format!("text {}", n % 4)));
        set("image_url", json!("/media/a.webp"));
        set("price", json!(n % 6));
    }
    set("stock", json!(if n % 50 == 49 { json!(-1) } else { json!(n % 3) }));
    if n.is_multiple_of(17) {
        set("offer_discount", json!(5));
        set("offer_from", json!(1));
        set("offer_to", json!(2 + n % 2));
        set("offer_description", json!("Sale"));
    } else if n.is_multiple_of(19) {
        set("offer_discount", Value::Null);
    }
    row
}

#[tokio::test]
async fn a_dry_run_tells_exactly_what_would_happen() {
    let (app, boss) = fresh().await;
    let file: String = (0..1_700).map(|n| format!("{}\n", row(n))).collect();
    for mode in ["mode=update", "mode=insert&stock=keep", "mode=insert", "mode=upsert&stock=keep", "stock=set"] {
        let before = (export(&boss, "csv").await, count(&app, "audits").await);
        let dry = import_bytes(&boss, &format!("dry_run=true&{mode}"), JSON, file.as_bytes()).await.expect(200);
        assert_eq!((export(&boss, "csv").await, count(&app, "audits").await), before, "{mode}");
        let real = import_bytes(&boss, mode, JSON, file.as_bytes()).await.expect(200);
        for name in ["inserted", "updated", "unchanged", "failed_count"] {
            assert_eq!(dry[name], real[name], "{mode}: {name}");
        }
        let failed = |reply: &Value| reply["failed"].as_array().expect("lines").clone();
        for (dry, real) in failed(&dry.json).iter().zip(failed(&real.json)) {
            assert_eq!(*dry, real, "{mode}");
        }
        assert!(dry.json == real.json, "{mode}");
        assert!(mode == "mode=update" || real["failed_count"].as_u64() < Some(1_700), "{mode}");
    }
}

#[tokio::test]
async fn a_mode_says_which_entries_are_written() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let old = export(&staff, "csv").await;
    let new_row = line("TATA", "P9", "1.00").replace("Tata Motors", "Renamed");
    let changed = format!("{}{new_row}\n", old.replace("19.90", "20.00"));
    let rename = "brand_name differs from that of an earlier line";
    let told = import_bytes(&staff, "mode=insert", CSV, changed.as_bytes()).await.expect(200);
    assert_eq!(told["failed"][0]["error"], "product_code already exists for this category");
    assert_eq!((&told["failed"][0]["line"], &told["failed"][1]["error"]), (&json!(4), &json!(rename)));
    assert_eq!((&told["inserted"], &told["unchanged"]), (&json!(0), &json!(5)));
    let only_new = [HEADER, &new_row].join("\n");
    import_bytes(&staff, "mode=insert", CSV, only_new.as_bytes()).await.expect(200).json_is(&report(1, 0, 0));
    let brand = staff.get("/api/utils/brands/TATA/").await.expect(200);
    assert_eq!(brand["brand"]["brand_name"], "Tata Motors", "parents stay as they are");
    import_bytes(&staff, "mode=insert", CSV, only_new.as_bytes()).await.expect(200).json_is(&report(0, 0, 1));
    let rows =
        [HEADER, &line("TATA", "P8", "1.00"), &line("NEW", "P1", "1.00"), &line("TATA", "P9", "2.00")].join("\n");
    let told = import_bytes(&staff, "mode=update", CSV, rows.as_bytes()).await.expect(200);
    let failed = json!([
        { "line": 2, "column": "product_code", "value": "P8", "error": "product not found" },
        { "line": 3, "column": "brand_code", "value": "NEW", "error": "brand not found" }
    ]);
    assert_eq!((&told["failed"], &told["updated"]), (&failed, &json!(1)));
    let gone = staff.get("/api/utils/brands/NEW/").await;
    gone.refused(404, "brand not found");
}

#[tokio::test]
async fn the_stock_can_be_kept() {
    let (app, boss) = fresh().await;
    let file = |stock: &str| {
        [HEADER, &line("TATA", "P1", "1.00").replace(",3,", stock), &line("TATA", "P2", "1.00")].join("\n")
    };
    import(&boss, CSV, &[HEADER, &line("TATA", "P1", "1.00")].join("\n")).await.expect(200);
    let kept = import_bytes(&boss, "stock=keep", CSV, file(",9,").as_bytes()).await.expect(200);
    kept.json_is(&report(1, 0, 1));
    let stocks = || async {
        let mut stocks = Vec::new();
        for code in ["P1", "P2"] {
            let found = app.products().find_one(doc! { "own_code": code }).await.expect("an answer");
            stocks.push(found.expect("a product").get_i64("stock").expect("a stock"));
        }
        stocks
    };
    assert_eq!(stocks().await, [3, 3]);
    let refused = import_bytes(&boss, "stock=keep", CSV, file(",many,").as_bytes()).await.expect(200);
    assert_eq!(refused["failed"][0]["value"], "many");
    import_bytes(&boss, "stock=set", CSV, file(",9,").as_bytes()).await.expect(200).json_is(&report(0, 1, 1));
    assert_eq!(stocks().await, [9, 3]);
}

#[tokio::test]
async fn unknown_query_parameters_change_and_show_nothing() {
    let app = TestApp::start().await;
    let staff = filled(&app).await;
    let before = (export(&staff, "csv").await, count(&app, "audits").await);
    let file = before.0.replace("19.90", "1.00");
    let faults = [
        ("dry_run=1", "dry_run must be true or false"),
        ("dry_run=", "dry_run must be true or false"),
        ("dry_run=TRUE", "dry_run must be true or false"),
        ("mode=replace", "mode must be upsert, update or insert"),
        ("stock=add", "stock must be set or keep"),
        ("dryrun=true", "unknown query parameter: dryrun"),
        ("Dry_Run=true", "unknown query parameter: Dry_Run"),
        ("dry_run=false&dry_run=true", "dry_run is there twice"),
        ("x", "unknown query parameter: x"),
    ];
    for (query, error) in faults {
        let reply = import_bytes(&staff, query, CSV, file.as_bytes()).await.refused(400, error);
        assert_eq!(reply["fields"].as_object().map(|fields| fields.len()), Some(1), "{query}");
    }
    for path in ["export/?fromat=jsonl", "audits/?operatoin=insert", "stats/?low=5", "users/?rolle=admin"] {
        let reply = staff.get(&format!("/api/admin/{path}")).await;
        assert!([400, 404].contains(&reply.status.as_u16()), "{path}");
    }
    staff.delete("/api/admin/brands/delete/TATA/?dryrun=true").await.refused(400, "unknown query parameter: dryrun");
    assert_eq!((export(&staff, "csv").await, count(&app, "audits").await), before);
    app.anonymous().get("/api/admin/export/?x=1").await.expect(401).is_envelope();
    app.customer().await.get("/api/admin/export/?x=1").await.refused(403, "staff only");
    app.anonymous().get("/api/utils/brands/?x=1").await.expect(200);
}
