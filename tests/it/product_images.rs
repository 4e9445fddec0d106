//! The images of a product beside its first one.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Caller, Form, Reply, TestApp,
    catalogue_file::{export, import},
    some_picture,
};

const CATEGORY: &str = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns a path below a product in the category that [`TestApp::product`] fills.
fn below(product: &Value, rest: &str) -> String {
    format!("{CATEGORY}/{}/images/{rest}", product["product_code"].as_str().expect("a code"))
}

fn url(n: usize) -> String {
    format!("https://images.example.com/{n}.webp")
}

async fn named(staff: &Caller, product: &Value, url: &str) -> Reply {
    staff.post(&below(product, ""), &json!({ "image_url": url })).await
}

async fn uploaded(staff: &Caller, product: &Value, alt: &str) -> Value {
    let form = Form::default().text("alt", alt).file("image", &some_picture());
    let reply = Reply::of(form.request(staff, Method::POST, &below(product, ""))).await.expect(201);
    reply["product"].clone()
}

async fn shown(app: &TestApp, product: &Value) -> Value {
    let path = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
    app.anonymous().get(&path).await.expect(200)["product"].clone()
}

/// Returns one field of each image.
fn each<'a>(product: &'a Value, field: &str) -> Vec<&'a Value> {
    product["images"].as_array().expect("images").iter().map(|image| &image[field]).collect()
}

async fn status_of(app: &TestApp, url: &Value) -> u16 {
    app.anonymous().get(url.as_str().expect("a URL")).await.status.as_u16()
}

#[tokio::test]
async fn images_are_added_arranged_and_deleted() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let first = &product["images"][0];
    assert_eq!((each(&product, "position"), &first["url"]), (vec![&json!(0)], &product["image_url"]));
    assert_eq!(first["alt"], product["product_name"], "without words of its own");
    uploaded(&staff, &product, " The pads  from behind ").await;
    let added = named(&staff, &product, &url(2)).await.expect(201);
    assert_eq!(added["message"], "image added successfully");
    let three = shown(&app, &product).await;
    let mut without_time = added["product"].clone();
    assert!(without_time.as_object_mut().expect("a product").remove("updated_at").is_some_and(|at| at.is_string()));
    assert_eq!(without_time, three);
    assert_eq!(
        (each(&three, "position"), each(&three, "url")[2]),
        (vec![&json!(0), &json!(1), &json!(2)], &json!(url(2)))
    );
    assert_eq!(three["images"][1]["alt"], "The pads from behind");
    let ids: Vec<Value> = each(&three, "_id").into_iter().cloned().collect();
    let order = json!({ "images": [{ "_id": ids[1] }, { "_id": ids[2], "alt": "Drawn" }, { "_id": ids[0] }] });
    staff.put(&below(&product, ""), &order).await.expect(200);
    let arranged = shown(&app, &product).await;
    assert_eq!(each(&arranged, "_id"), [&ids[1], &ids[2], &ids[0]], "an image keeps its id");
    assert_eq!(arranged["image_url"], three["images"][1]["url"]);
    assert_eq!(
        (&arranged["images"][0]["alt"], &arranged["images"][1]["alt"]),
        (&json!("The pads from behind"), &json!("Drawn"))
    );
    let path = below(&product, &format!("{}/", ids[1].as_str().expect("an id")));
    assert_eq!(staff.delete(&path).await.expect(200)["message"], "image deleted successfully");
    staff.delete(&path).await.refused(404, "image not found");
    let left = shown(&app, &product).await;
    assert_eq!((&left["image_url"], each(&left, "_id")), (&json!(url(2)), vec![&ids[2], &ids[0]]));
}

#[tokio::test]
async fn what_can_not_be_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let id = product["images"][0]["_id"].as_str().expect("an id");
    let (path, before) = (below(&product, ""), shown(&app, &product).await);
    staff
        .delete(&below(&product, &format!("{id}/")))
        .await
        .refused(409, "a product needs an image: add another one first");
    named(&staff, &product, product["image_url"].as_str().expect("a URL"))
        .await
        .refused(409, "the product shows this image already");
    named(&staff, &product, "/media/gone.png").await.refused(400, "invalid image_url");
    named(&staff, &product, "javascript:x").await.refused(400, "invalid image_url");
    staff.post(&path, &json!({ "alt": "Nothing" })).await.refused(400, "image is required");
    let long = json!({ "image_url": url(1), "alt": "x".repeat(201) });
    staff.post(&path, &long).await.refused(400, "invalid alt: alt too long");
    let markup = json!({ "images": [{ "_id": id, "alt": "<b>" }] });
    let refused = staff.put(&path, &markup).await.refused(400, "invalid alt: invalid characters");
    assert_eq!(refused["fields"], json!({ "images[0].alt": "invalid alt: invalid characters" }));
    let whole = "images must name each image of the product exactly once";
    for order in [json!([]), json!([{ "_id": "0".repeat(24) }]), json!([{ "_id": id }, { "_id": id }])] {
        staff.put(&path, &json!({ "images": order })).await.refused(400, whole);
    }
    let many: Vec<Value> = (0..30_000).map(|_| json!({})).collect();
    let refused = staff.put(&path, &json!({ "images": many })).await.refused(400, whole);
    assert_eq!(refused["fields"], json!({ "images": whole }));
    staff.put(&path, &json!({})).await.refused(400, "images is required");
    staff.put(&path, &json!({ "images": { "0": id } })).await.refused(400, "images must be a list");
    staff.put(&path, &json!({ "images": [{ "_id": id }, id] })).await.refused(400, "images[1] must be an object");
    staff.put(&path, &json!({ "images": [null] })).await.refused(400, "images[0] must be an object");
    staff.put(&path, &json!({ "images": [{ "alt": "x" }] })).await.refused(400, "images[0]._id is required");
    staff
        .post(&format!("{CATEGORY}/NONE/images/"), &json!({ "image_url": url(1) }))
        .await
        .refused(404, "product not found");
    let svg = Form::default().file("image", b"<svg/>").request(&staff, Method::POST, &path);
    Reply::of(svg).await.refused(400, "invalid image: SVG isn't taken: png, jpeg, webp");
    assert_eq!(shown(&app, &product).await, before);
}

#[tokio::test]
async fn a_state_that_has_changed_is_412() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let read = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
    let tag = staff.get(&read).await.header("etag").to_owned();
    let send = |method: Method, path: String, body: Value| {
        let request = staff.request(method, &path).header("if-match", &tag).json(&body);
        async move { Reply::of(request).await }
    };
    let order = json!({ "images": [{ "_id": product["images"][0]["_id"], "alt": "Drawn" }] });
    send(Method::PUT, below(&product, ""), order.clone()).await.expect(200);
    for (method, path, body) in [
        (Method::PUT, below(&product, ""), order),
        (Method::POST, below(&product, ""), json!({ "image_url": url(1) })),
        (
            Method::DELETE,
            below(&product, &format!("{}/", product["images"][0]["_id"].as_str().expect("an id"))),
            json!({}),
        ),
    ] {
        let refused = send(method, path, body).await.refused(412, "the product has changed meanwhile");
        assert_eq!(refused["code"], "state_changed");
    }
}

#[tokio::test]
async fn each_answer_has_the_tag_for_the_next_change() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let path = below(&product, "");
    let send = async |method: Method, path: &str, tag: &str, body: Value| {
        Reply::of(staff.request(method, path).header("if-match", tag).json(&body)).await
    };
    let added = named(&staff, &product, &url(1)).await;
    let ids = each(&added["product"], "_id");
    let order = json!({ "images": [{ "_id": ids[1] }, { "_id": ids[0] }] });
    let arranged = send(Method::PUT, &path, added.header("etag"), order).await.expect(200);
    assert!(arranged["product"]["updated_at"].is_string());
    let read = staff.get(&format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"))).await;
    assert_eq!(arranged.header("etag"), read.header("etag"));
    let one = format!("{path}{}/", ids[0].as_str().expect("an id"));
    let deleted = send(Method::DELETE, &one, arranged.header("etag"), json!({})).await.expect(200);
    assert!(deleted["product"]["updated_at"].is_string());
    let again = send(Method::POST, &path, deleted.header("etag"), json!({ "image_url": url(2) })).await;
    again.expect(201);
}

#[tokio::test]
async fn an_offer_that_begins_or_ends_is_no_change() {
    let app = TestApp::start_with_stopped_clock().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let read = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
    let update = format!("{CATEGORY}/update/{}/", product["product_code"].as_str().expect("a code"));
    let put = async |tag: &str, body: Value| {
        Reply::of(staff.request(Method::PUT, &update).header("if-match", tag).json(&body)).await
    };
    let validity = json!({ "from": app.now_seconds() + 60, "to": app.now_seconds() + 120 });
    let offers = json!({ "discount": 15, "validity": validity, "description": "A minute" });
    let before = staff.put(&update, &json!({ "offers": offers })).await.expect(200).header("etag").to_owned();
    app.advance(Duration::from_secs(61));
    let during = staff.get(&read).await.expect(200).header("etag").to_owned();
    app.advance(Duration::from_secs(60));
    let after = staff.get(&read).await.expect(200).header("etag").to_owned();
    assert!(before != during && during != after && after != before);
    // A change of nothing leaves the state as it is.
    for tag in [&before, &during, &after] {
        put(tag, json!({ "stock": 5 })).await.expect(200);
    }
    put(&before, json!({ "stock": 6 })).await.expect(200);
    for tag in [&before, &during, &after] {
        put(tag, json!({ "stock": 7 })).await.refused(412, "the product has changed meanwhile");
    }
}

#[tokio::test]
async fn all_urls_of_a_stored_picture_are_one_picture() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let (one, other) = (app.product(10.0, 5).await, app.product(10.0, 5).await);
    let stored = uploaded(&staff, &one, "").await["images"][1]["url"].as_str().expect("a URL").to_owned();
    let (stem, end) = stored.rsplit_once('.').expect("an ending");
    let variant = format!("{stem}.w320.{end}");
    for form in [format!("{stored}?w=320"), format!("{stored}#top"), variant.clone()] {
        named(&staff, &one, &form).await.refused(409, "the product shows this image already");
    }
    assert_eq!(named(&staff, &other, &variant).await.expect(201)["product"]["images"][1]["url"], *stored);
    let update = format!("{CATEGORY}/update/{}/", other["product_code"].as_str().expect("a code"));
    let first = staff.put(&update, &json!({ "image_url": format!("{stored}?w=800") })).await.expect(200);
    assert_eq!((&first["product"]["image_url"], each(&first["product"], "url").len()), (&json!(stored), 1));
    let file = export(&staff, "csv").await.replace(&stored, &variant);
    assert_eq!(import(&staff, "text/csv", &file).await.expect(200)["unchanged"], 2);
    let nothing = format!("/media/{}.w320.jpg", "0123456789abcdef".repeat(2));
    named(&staff, &one, &nothing).await.refused(400, "invalid image_url");
}

#[tokio::test]
async fn of_many_at_once_ten_are_added_and_each_is_audited() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let elsewhere = staff.at(&other.url);
    let adds = (0..14).map(|n| {
        let (caller, product) = (if n % 2 == 0 { &staff } else { &elsewhere }, &product);
        async move { named(caller, product, &url(n)).await }
    });
    let replies = join_all(adds).await;
    let added = replies.iter().filter(|reply| reply.status.as_u16() == 201).count();
    let full = replies.iter().filter(|reply| reply["error"] == "a product has at most 10 images beside the first one");
    assert_eq!((added, full.count()), (10, 4));
    let stored = staff.get(&format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"))).await;
    assert_eq!(each(&stored["product"], "url").len(), 11);
    let audits = staff.get("/api/admin/audits/?limit=50").await.expect(200);
    let logs = audits["logs"].as_array().expect("logs").clone();
    let images = logs.iter().filter(|log| log["update_description"]["updatedFields"]["images"].is_array()).count();
    assert_eq!(images, 10);
}

#[tokio::test]
async fn two_orders_at_once_are_both_whole() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    for n in 1..4 {
        named(&staff, &product, &url(n)).await.expect(201);
    }
    let four = shown(&app, &product).await;
    let ids: Vec<String> = each(&four, "_id").into_iter().map(|id| id.as_str().expect("an id").to_owned()).collect();
    let orders = [[3, 2, 1, 0], [1, 0, 3, 2]];
    let path = below(&product, "");
    let arrange = |order: [usize; 4]| {
        let images: Vec<Value> = order.iter().map(|at| json!({ "_id": ids[*at] })).collect();
        let (staff, path) = (&staff, &path);
        async move { staff.put(path, &json!({ "images": images })).await.expect(200) }
    };
    join(arrange(orders[0]), arrange(orders[1])).await;
    let seen = shown(&app, &product).await;
    let seen: Vec<usize> =
        each(&seen, "_id").into_iter().map(|id| ids.iter().position(|known| id == known).expect("an id")).collect();
    assert!(orders.iter().any(|order| seen == order), "{seen:?}");
}

#[tokio::test]
async fn a_picture_stays_while_any_product_shows_it_at_any_place() {
    let app = TestApp::start_with(&[("IMAGE_TRASH_DAYS", "7")]).await;
    let staff = app.staff().await;
    let (one, other) = (app.product(10.0, 5).await, app.product(10.0, 5).await);
    let picture = uploaded(&staff, &one, "").await["images"][1].clone();
    named(&staff, &other, picture["url"].as_str().expect("a URL")).await.expect(201);
    let path = |product: &Value| below(product, &format!("{}/", picture["_id"].as_str().expect("an id")));
    staff.delete(&path(&one)).await.expect(200);
    let later = async |days: u32| {
        app.advance(DAY * days);
        app.work().await;
        app.staff().await
    };
    let staff = later(8).await;
    assert_eq!(status_of(&app, &picture["url"]).await, 200, "the other product shows it");
    // It becomes the first picture, and then goes with its product.
    let order = json!([{ "_id": picture["_id"] }, { "_id": other["images"][0]["_id"] }]);
    staff.put(&below(&other, ""), &json!({ "images": order })).await.expect(200);
    let staff = later(8).await;
    assert_eq!(status_of(&app, &picture["url"]).await, 200, "a move is no removal");
    let further = uploaded(&staff, &other, "").await["images"][2].clone();
    staff.delete(&format!("{CATEGORY}/delete/{}/", other["product_code"].as_str().expect("a code"))).await.expect(200);
    later(8).await;
    assert_eq!((status_of(&app, &picture["url"]).await, status_of(&app, &further["url"]).await), (404, 404));
    let trash = app.db.collection::<Document>("image_trash").count_documents(doc! {}).await.expect("a count");
    assert_eq!(trash, 0);
}

#[tokio::test]
async fn deleting_a_picture_and_showing_it_elsewhere_exclude_each_other() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let (one, other) = (app.product(10.0, 5).await, app.product(10.0, 5).await);
    for round in 0..6 {
        let picture = uploaded(&staff, &one, "").await["images"][1].clone();
        let (id, url) = (picture["_id"].as_str().expect("an id"), picture["url"].as_str().expect("a URL"));
        let going = async {
            staff.delete(&below(&one, &format!("{id}/"))).await.expect(200);
            app.work().await;
        };
        let (added, ()) = join(named(&staff, &other, url), going).await;
        app.work().await;
        let expected = if added.status.as_u16() == 201 { 200 } else { 404 };
        assert_eq!(status_of(&app, &picture["url"]).await, expected, "round {round}: {}", added.text);
        if expected == 200 {
            staff.delete(&below(&other, &format!("{id}/"))).await.expect(200);
            app.work().await;
            assert_eq!(status_of(&app, &picture["url"]).await, 404);
        }
    }
}

#[tokio::test]
async fn files_and_updates_never_lose_further_pictures() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let product = app.product(10.0, 5).await;
    let two = uploaded(&staff, &product, "From behind").await;
    named(&staff, &product, &url(2)).await.expect(201);
    let file = export(&staff, "csv").await;
    assert_eq!(import(&staff, "text/csv", &file).await.expect(200)["unchanged"], 1);
    let dearer = file.replace("10.00", "12.50");
    assert_eq!(import(&staff, "text/csv", &dearer).await.expect(200)["updated"], 1);
    assert_eq!(each(&shown(&app, &product).await, "url").len(), 3);
    // A file that names a further picture makes it the first one, with its words.
    let second = two["images"][1]["url"].as_str().expect("a URL");
    let moved = dearer.lines().map(|line| match line.contains("12.50") {
        true => line.replace(&format!(",{}", product["image_url"].as_str().expect("a URL")), &format!(",{second}")),
        false => line.to_owned(),
    });
    let moved = moved.collect::<Vec<_>>().join("\n");
    import(&staff, "text/csv", &moved).await.expect(200);
    let after = shown(&app, &product).await;
    assert_eq!((&after["image_url"], each(&after, "url").len()), (&json!(second), 2));
    assert_eq!(after["images"][0]["alt"], "From behind");
    app.work().await;
    assert_eq!(status_of(&app, &after["image_url"]).await, 200);
    let update = format!("{CATEGORY}/update/{}/", product["product_code"].as_str().expect("a code"));
    let changed = staff.put(&update, &json!({ "image_url": url(7), "price": 11 })).await.expect(200)["product"].clone();
    assert_eq!(each(&changed, "url"), [&json!(url(7)), &json!(url(2))]);
    assert_eq!(changed["images"][0]["alt"], product["product_name"], "words belong to their picture");
}

#[tokio::test]
async fn products_of_older_versions_show_the_one_image_they_have() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let unset = doc! { "$unset": { "image_key": "", "image_alt": "", "further_images": "" } };
    app.products().update_many(doc! {}, unset).await.expect("an update");
    let again = app.another_instance().await;
    let staff = app.staff().await.at(&again.url);
    assert_eq!(shown(&again, &product).await["images"], product["images"]);
    named(&staff, &product, &url(1)).await.expect(201);
    let list = again.anonymous().get("/api/utils/brands/TATA/models/NEXON/categories/BRK/products/").await.expect(200);
    assert_eq!(each(&list["products"][0], "position").len(), 2);
}
