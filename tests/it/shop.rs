//! What frontends learn about the shop before anybody signs in.

use insta::assert_json_snapshot;
use reqwest::Method;

use crate::support::{Reply, TestApp};

const SHOP: &str = "/api/utils/shop/";

#[tokio::test]
async fn the_shop_is_described_by_its_settings() {
    let app = TestApp::start().await;
    assert_json_snapshot!(app.anonymous().get(SHOP).await.expect(200).json, @r#"
    {
      "checkout": false,
      "currency": "INR",
      "languages": [
        "en"
      ],
      "name": "myspares",
      "payment_methods": [],
      "region": "IN",
      "sign_up": {
        "direct": true,
        "otp": true
      }
    }
    "#);
    let vars = [("SHOP_NAME", "आशा Spares & Söhne"), ("CURRENCY", "NPR"), ("DEFAULT_REGION", "NP")];
    let shop = app.another_instance_with(&vars).await.anonymous().get(SHOP).await.expect(200);
    assert_eq!(["name", "currency", "region"].map(|field| shop[field].clone()), ["आशा Spares & Söhne", "NPR", "NP"]);
}

#[tokio::test]
async fn the_answer_is_kept_and_asked_for_again_like_the_catalogue() {
    let app = TestApp::start().await;
    for caller in [app.anonymous(), app.customer().await, app.staff().await] {
        let shop = caller.get(SHOP).await.expect(200);
        assert_eq!(shop.header("cache-control"), "public, no-cache");
        let known = caller.request(Method::GET, SHOP).header("if-none-match", shop.header("etag"));
        assert_eq!(Reply::of(known).await.expect(304).text, "");
        let head = Reply::of(caller.request(Method::HEAD, "/api/utils/shop")).await.expect(200);
        assert_eq!(head.header("etag"), shop.header("etag"));
    }
    let renamed = app.another_instance_with(&[("SHOP_NAME", "Asha Spares")]).await.anonymous().get(SHOP).await;
    assert_ne!(renamed.header("etag"), app.anonymous().get(SHOP).await.header("etag"));
}
