//! The settings that frontends show: the name of the shop, and the URL at which its images are seen.

use super::{images::web_url, reader::Reader};
use crate::values::url::PublicUrl;

/// The longest name of a shop, in characters.
const NAME_CHARS: usize = 80;

/// The settings that frontends show.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The name of the shop: 1 to 80 printable characters.
    pub name: String,
    /// The URL at which browsers reach this server.
    pub public_url: PublicUrl,
}

impl Shop {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let is_name = |text: &str| text.chars().count() <= NAME_CHARS && !text.chars().any(char::is_control);
        Self {
            name: reader.parsed("SHOP_NAME", "myspares".to_owned(), "1 to 80 printable characters", |text| {
                is_name(text).then(|| text.to_owned())
            }),
            public_url: reader.parsed(
                "PUBLIC_URL",
                PublicUrl::default(),
                "a URL such as https://api.example.com",
                |text| web_url(text).map(PublicUrl::new),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn names_are_printable_and_urls_plain() {
        let read = |name: &str, value: &str| Config::from_vars([(name, value)]).map(|config| config.shop);
        assert_eq!(read("SHOP_NAME", " आशा Spares & Söhne ").expect("a name").name, "आशा Spares & Söhne");
        let shown = |url: &str| read("PUBLIC_URL", url).map(|shop| shop.public_url.shown("/media/a.jpg"));
        assert_eq!(shown("").expect("unset"), "/media/a.jpg");
        for url in ["https://api.example.com", "https://api.example.com/"] {
            assert_eq!(shown(url).expect("a URL"), "https://api.example.com/media/a.jpg");
        }
        let long = "a".repeat(81);
        for (name, value) in [
            ("SHOP_NAME", long.as_str()),
            ("SHOP_NAME", "a\u{7}b"),
            ("PUBLIC_URL", "api.example.com"),
            ("PUBLIC_URL", "https://api.example.com/?a"),
            ("PUBLIC_URL", "/api"),
        ] {
            let problems = read(name, value).expect_err("a problem").to_string();
            assert!(problems.contains(name), "{value}");
        }
    }
}
