//! The documentation of the API and the page at `/`.

use reqwest::{Method, header::IF_NONE_MATCH};

use crate::support::{Reply, TestApp};

/// Every page, with the files that it loads.
const PAGES: [(&str, &[&str]); 3] = [
    ("/", &["/favicon.svg"]),
    ("/docs", &["/favicon.svg", "/docs/swagger-ui.css", "/docs/swagger-ui.js", "/docs/swagger.js", "/openapi.json"]),
    ("/docs/reference", &["/favicon.svg", "/docs/redoc.js", "/docs/reference.js", "/openapi.json"]),
];

#[tokio::test]
async fn pages_load_files_of_this_server_only_and_hold_no_script() {
    let app = TestApp::start().await;
    for (path, files) in PAGES {
        let page = app.anonymous().get(path).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self';", "connect-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("http") && !page.text.contains("http") && !page.text.contains("<script>"), "{path}");
        for file in files {
            assert!(!app.anonymous().get(file).await.expect(200).text.is_empty(), "{file}");
        }
    }
}

#[tokio::test]
async fn files_that_a_browser_has_are_not_sent_again() {
    let app = TestApp::start().await;
    for path in PAGES.iter().flat_map(|(page, files)| files.iter().chain([page])) {
        let tag = app.anonymous().get(path).await.expect(200).header("etag").to_owned();
        let again = app.anonymous().request(Method::GET, path).header(IF_NONE_MATCH, &tag);
        let known = Reply::of(again).await.expect(304);
        assert!(known.text.is_empty() && known.header("etag") == tag, "{path}");
        assert_eq!(known.header("cache-control"), "no-cache");
    }
}
