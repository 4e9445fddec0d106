//! The documentation of the API, the description that it shows, and the page at `/`.
//!
//! poem-openapi brings Swagger UI and Redoc along as pages that hold scripts, styles and the description in one file.
//! Here the same scripts are files of their own, so that the content security policy can forbid scripts inside a page.

use poem::{Route, RouteMethod, http::HeaderValue};

use super::{
    contract::{redoc, spec_json, spec_yaml, swagger_ui},
    fixed::{self, Fixed},
    methods::only_get,
};
use crate::config::Config;

/// For the pages. They load scripts and send requests only to this server. Swagger UI and Redoc write styles into the
/// page, and Redoc searches in a worker that it makes from its own script.
const OWN_SERVER_ONLY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; \
     connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The beginning of the tag that holds the script of Swagger UI or Redoc.
const SCRIPT: &str = "<script charset=\"UTF-8\">";
/// The beginning of the tag that holds the styles of Swagger UI.
const STYLE: &str = "<style charset=\"UTF-8\">";
const ICON: &str = "/favicon.svg";

/// Adds the page at `/` with its icon and, unless the settings switch it off, the documentation.
pub fn add(routes: Route, config: &Config) -> Route {
    let start = start_page(&config.shop.name, config.docs);
    let with_start = routes.at("/", page(move || start.clone())).at(ICON, icon()).at("/favicon.ico", icon());
    if config.docs { add_docs(with_start) } else { with_start }
}

fn add_docs(routes: Route) -> Route {
    routes
        .at("/docs", page(|| include_str!("swagger.html").to_owned()))
        .at("/docs/swagger.js", script(|| include_str!("swagger.js").to_owned()))
        .at("/docs/swagger-ui.js", script(|| inside(&swagger_ui(), SCRIPT, "</script>")))
        .at("/docs/swagger-ui.css", file("text/css; charset=utf-8", || inside(&swagger_ui(), STYLE, "</style>")))
        .at("/docs/reference", page(|| include_str!("reference.html").to_owned()))
        .at("/docs/reference.js", script(|| include_str!("reference.js").to_owned()))
        .at("/docs/redoc.js", script(|| inside(&redoc(), SCRIPT, "</script>")))
        .at("/openapi.json", file("application/json; charset=utf-8", spec_json))
        .at("/openapi.yaml", file("application/yaml; charset=utf-8", spec_yaml))
}

fn page(text: impl Fn() -> String + Send + Sync + 'static) -> RouteMethod {
    only_get(fixed::serve(Fixed::new("text/html; charset=utf-8", text).with_policy(OWN_SERVER_ONLY)))
}

fn script(text: fn() -> String) -> RouteMethod {
    file("text/javascript; charset=utf-8", text)
}

fn icon() -> RouteMethod {
    file("image/svg+xml", || include_str!("favicon.svg").to_owned())
}

fn file(content_type: &'static str, text: fn() -> String) -> RouteMethod {
    only_get(fixed::serve(Fixed::new(content_type, text)))
}

/// Returns the text between the first `begin` and the next `end`; empty if the page has no such part.
fn inside(page: &str, begin: &str, end: &str) -> String {
    let after = page.split_once(begin).map_or("", |(_, after)| after);
    // The scripts contain `</script>` only in an escaped form, because they have to work inside a page.
    after.split_once(end).map_or("", |(inside, _)| inside).to_owned()
}

/// Returns the page at `/`, with links to the documentation if it is served.
fn start_page(shop_name: &str, has_docs: bool) -> String {
    let links = if has_docs { include_str!("links.html").trim_end() } else { "" };
    include_str!("start.html").replace("{links}", links).replace("{shop}", &escaped(shop_name))
}

/// Returns a text for use inside an HTML element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_are_taken_out_of_their_pages() {
        let swagger_script = inside(&swagger_ui(), SCRIPT, "</script>");
        assert!(swagger_script.contains("SwaggerUIBundle") && swagger_script.len() > 1_000_000);
        assert!(inside(&swagger_ui(), STYLE, "</style>").contains(".swagger-ui"));
        let redoc_script = inside(&redoc(), SCRIPT, "</script>");
        assert!(redoc_script.contains("Redoc") && redoc_script.len() > 1_000_000);
    }

    #[test]
    fn the_name_of_the_shop_is_no_markup() {
        let page = start_page("Nuts & <b>Bolts</b>", false);
        assert!(page.contains("<h1>Nuts &amp; &lt;b&gt;Bolts&lt;/b&gt;</h1>") && !page.contains("{links}"));
        assert!(start_page("Shop", true).contains("/docs/reference"));
    }
}
