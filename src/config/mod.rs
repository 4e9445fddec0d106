//! The configuration. Only this module reads settings. They come from the environment and from `.env`, and all of them
//! are checked before anything starts.

mod bounds;
mod choices;
mod cookie_policy;
mod images;
mod lifetimes;
mod limits;
mod mail;
mod origins;
mod reader;
mod secret;
mod shop;
mod sms;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use secrecy::SecretString;

use self::reader::Reader;
pub use self::{
    bounds::{Bounds, Patience},
    choices::{AppEnv, BodyRefresh, LogFormat, MetricsHome},
    cookie_policy::CookiePolicy,
    images::{CloudinaryAccount, ImageHome, ObjectStoreAccount},
    lifetimes::Lifetimes,
    limits::Limits,
    mail::Mail,
    reader::ConfigProblems,
    secret::read_or_create_secret,
    shop::Shop,
    sms::{Sms, TwilioAccount},
};
use crate::values::phone::Region;

const MEBIBYTE: u64 = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The environment: development or production.
    pub app_env: AppEnv,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free port.
    pub port: u16,
    /// The database.
    pub database: DatabaseConfig,
    /// The folder for everything that the server stores on disk.
    pub data_dir: PathBuf,
    /// The number of bytes that images leave free on the disk of `data_dir`, so that the database has enough space.
    pub disk_reserve: u64,
    /// The secret from which all keys are derived. It may be unset only in development.
    pub jwt_secret: Option<SecretString>,
    /// The secret before the last change. Tokens that were made with it are still valid.
    pub jwt_secret_previous: Option<SecretString>,
    /// The cost of bcrypt. Each step doubles the time for a hash.
    pub bcrypt_cost: u32,
    /// The attributes of the refresh cookie.
    pub cookie: CookiePolicy,
    /// The origins whose pages may read answers and send the cookie.
    pub cors_allowed_origins: Vec<String>,
    /// The region of phone numbers without a country code.
    pub default_region: Region,
    /// The settings that frontends show.
    pub shop: Shop,
    /// The currency of all prices, as an ISO 4217 code.
    pub currency: String,
    /// The lifetimes of tokens, sessions and codes.
    pub lifetimes: Lifetimes,
    /// The settings for codes sent by SMS.
    pub sms: Sms,
    /// The rate limits.
    pub limits: Limits,
    /// The settings for mails.
    pub mail: Mail,
    /// The place where images are stored.
    pub images: ImageHome,
    /// The time for which images that no document shows any more are kept.
    pub image_trash: Duration,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The maximum size in bytes of the copies of the catalogue in memory; 0 keeps no copies.
    pub catalogue_cache: u64,
    /// The maximum age of copies of the catalogue that are served while the database is unavailable; 0 serves none.
    pub stale_if_error: Duration,
    /// The time for which audits are kept.
    pub audit_retention: Duration,
    /// Whether refresh tokens are also sent in bodies, for apps that can't store cookies.
    pub body_refresh: BodyRefresh,
    /// Limits for what the server holds for its callers, and for how long it waits for them.
    pub bounds: Bounds,
    /// Where the metrics are served.
    pub metrics: MetricsHome,
    /// The URL of the collector that receives traces. Without one, no traces are made.
    pub traces: Option<String>,
    /// Whether the documentation and the description of the API are served.
    pub docs: bool,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// The filter for log lines, in the syntax of `RUST_LOG`.
    pub log_filter: String,
}

/// The settings for the database.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// The connection string. Without one, a private mongod is started.
    pub uri: Option<SecretString>,
    /// The name of the database.
    pub name: String,
    /// The mongod to start. Without one, the usual places are searched.
    pub mongod_bin: Option<PathBuf>,
}

impl Config {
    /// Reads `.env` in the working directory, and then the environment, which takes precedence. Variables that are not
    /// UTF-8 are ignored. The error lists all problems.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Result<Self, ConfigProblems> {
        let mut variables = HashMap::new();
        let mut file_problem = None;
        match dotenvy::from_path_iter(".env") {
            Ok(lines) => lines.for_each(|line| match line {
                Ok((name, value)) => drop(variables.insert(name, value)),
                // The error would repeat the line, which may contain a secret.
                Err(_) => file_problem = Some("a line is not of the form NAME=value"),
            }),
            Err(error) if error.not_found() => {}
            Err(_) => file_problem = Some("can't be read"),
        }
        variables.extend(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        );
        let mut reader = Reader::new(variables);
        if let Some(problem) = file_problem {
            reader.problem(".env", problem);
        }
        Self::read(reader)
    }

    /// Returns whether the server itself stores files in the data folder. The files of the private mongod don't count.
    pub fn keeps_files(&self) -> bool {
        let images = matches!(self.images, ImageHome::Folder);
        images || self.sms.twilio.is_none() || self.mail.smtp_url.is_none() || self.jwt_secret.is_none()
    }

    /// Reads the given variables and ignores `.env` and the environment. The error lists all problems.
    pub fn from_vars<'a>(vars: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigProblems> {
        Self::read(Reader::new(vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }

    fn read(mut reader: Reader) -> Result<Self, ConfigProblems> {
        let config = Self::gather(&mut reader);
        config.cross_check(&mut reader);
        reader.finish()?;
        Ok(config)
    }

    fn gather(reader: &mut Reader) -> Self {
        let app_env = AppEnv::read(reader);
        Self {
            app_env,
            host: reader.value("HOST", IpAddr::V4(Ipv4Addr::LOCALHOST), "an IP address"),
            port: reader.value("PORT", 8000, "a port from 0 to 65535"),
            database: DatabaseConfig::read(reader),
            data_dir: reader.text("DATA_DIR").map_or_else(|| PathBuf::from("./data"), PathBuf::from),
            disk_reserve: MEBIBYTE * reader.number("DISK_RESERVE_MB", 512, "number of megabytes", 0..=1_000_000_000),
            jwt_secret: reader.secret("JWT_SECRET"),
            jwt_secret_previous: reader.secret("JWT_SECRET_PREVIOUS"),
            bcrypt_cost: reader.number("BCRYPT_COST", 12, "number", 4..=15),
            cookie: CookiePolicy::read(reader, app_env),
            cors_allowed_origins: origins::read(reader),
            default_region: reader.value("DEFAULT_REGION", default_region(), "a two-letter country code such as IN"),
            shop: Shop::read(reader),
            currency: currency(reader),
            lifetimes: Lifetimes::read(reader),
            sms: Sms::read(reader),
            limits: Limits::read(reader),
            mail: Mail::read(reader),
            images: ImageHome::read(reader),
            image_trash: DAY * reader.number("IMAGE_TRASH_DAYS", 7, "number of days", 0..=3650),
            trusted_proxies: origins::read_proxies(reader),
            catalogue_cache: MEBIBYTE * reader.number("CATALOG_CACHE_MB", 64, "number of megabytes", 0..=65_536),
            stale_if_error: reader.duration_or_zero("STALE_IF_ERROR", Duration::from_secs(60)),
            audit_retention: DAY * reader.number("AUDIT_RETENTION_DAYS", 30, "number of days", 1..=3650),
            body_refresh: BodyRefresh::read(reader),
            bounds: Bounds::read(reader, app_env),
            metrics: MetricsHome::read(reader, app_env),
            traces: traces_endpoint(reader),
            docs: reader.switch("DOCS", true),
            log_format: LogFormat::read(reader),
            log_filter: log_filter(reader),
        }
    }

    /// Reports settings that are valid alone but don't fit together, or that production doesn't allow.
    fn cross_check(&self, reader: &mut Reader) {
        self.cookie.check(reader);
        self.lifetimes.check(reader);
        if self.app_env == AppEnv::Production {
            self.check_production(reader);
        }
    }

    fn check_production(&self, reader: &mut Reader) {
        if self.jwt_secret.is_none() {
            reader.problem("JWT_SECRET", "is required in production: 32 random bytes or more");
        }
        if self.bcrypt_cost < 10 {
            reader.problem("BCRYPT_COST", "must be 10 or more in production");
        }
        if self.limits.scale <= 0.0 {
            reader.problem("RATE_LIMIT_SCALE", "must be more than 0 in production");
        }
        self.sms.check_production(reader);
        self.mail.check_production(reader);
    }
}

impl DatabaseConfig {
    fn read(reader: &mut Reader) -> Self {
        let default_name = "MySpares_db".to_owned();
        Self {
            uri: mongo_uri(reader),
            name: reader.parsed("MONGO_DB_NAME", default_name, "1 to 63 of A-Z, a-z, 0-9, _ and -", database_name),
            mongod_bin: reader.parsed("MONGOD_BIN", None, "the path of a file", |text| {
                Some(PathBuf::from(text)).filter(|path| path.is_file()).map(Some)
            }),
        }
    }
}

fn currency(reader: &mut Reader) -> String {
    reader.parsed("CURRENCY", "INR".to_owned(), "a three-letter currency code such as INR", |text| {
        (text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())).then(|| text.to_owned())
    })
}

fn traces_endpoint(reader: &mut Reader) -> Option<String> {
    reader.parsed("OTEL_EXPORTER_OTLP_ENDPOINT", None, "a URL such as http://localhost:4318", |text| {
        text.starts_with("http").then(|| Some(text.to_owned()))
    })
}

fn log_filter(reader: &mut Reader) -> String {
    reader.parsed("RUST_LOG", "info,poem=warn".to_owned(), "a filter such as info or myspares=debug,warn", |text| {
        text.parse::<tracing_subscriber::filter::Targets>().ok().map(|_| text.to_owned())
    })
}

fn default_region() -> Region {
    "IN".parse().expect("India has phones")
}

/// Reads the connection string. The problem that it reports doesn't repeat the string, which may contain a password.
fn mongo_uri(reader: &mut Reader) -> Option<SecretString> {
    let uri = reader.text("MONGO_URI")?;
    if mongodb::options::ConnectionString::parse(&uri).is_err() {
        reader.problem("MONGO_URI", "is no MongoDB connection string such as mongodb://host:27017/?replicaSet=rs0");
    }
    Some(uri.into())
}

fn database_name(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let is_of_mongodb = ["admin", "local", "config"].contains(&text.to_lowercase().as_str());
    (is_plain && !is_of_mongodb && text.len() <= 63).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn problems(vars: &[(&str, &str)]) -> String {
        Config::from_vars(vars.iter().copied()).map_or_else(|problems| problems.to_string(), |_| String::new())
    }

    #[test]
    fn names_that_cannot_work_are_refused() {
        for (name, value) in [
            ("MONGO_DB_NAME", "admin"),
            ("COOKIE_DOMAIN", "a..b"),
            ("COOKIE_DOMAIN", "1.2.3.4"),
            ("MONGOD_BIN", "/nowhere/mongod"),
            ("ACCESS_TTL", "1ms"),
        ] {
            assert!(problems(&[(name, value)]).contains(name), "{name}={value}");
        }
    }

    #[test]
    fn nothing_needs_to_be_set_in_development() {
        let config = Config::from_vars([]).expect("the defaults");
        assert_eq!((config.port, config.bcrypt_cost, config.cookie.secure), (8000, 12, false));
    }

    #[test]
    fn empty_counts_as_unset() {
        assert_eq!(Config::from_vars([("PORT", ""), ("MONGO_URI", " ")]).expect("defaults").port, 8000);
    }

    #[test]
    fn every_problem_is_told_and_names_its_variable() {
        let told = problems(&[
            ("PORT", "eighty"),
            ("BCRYPT_COST", "3"),
            ("ACCESS_TTL", "soon"),
            ("CORS_ALLOWED_ORIGINS", "*"),
            ("MONGO_URI", "localhost"),
        ]);
        for name in ["MONGO_URI", "PORT", "BCRYPT_COST", "ACCESS_TTL", "CORS_ALLOWED_ORIGINS"] {
            assert!(told.contains(name), "{name} is missing in {told}");
        }
    }

    #[test]
    fn production_asks_for_a_secret_and_a_real_cost() {
        let told = problems(&[("APP_ENV", "production"), ("BCRYPT_COST", "9")]);
        assert!(told.contains("JWT_SECRET") && told.contains("BCRYPT_COST"), "{told}");
        let short = problems(&[("APP_ENV", "production"), ("JWT_SECRET", "tooshort-hunter2")]);
        assert!(short.contains("JWT_SECRET") && !short.contains("hunter2"), "{short}");
        let secret = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
        let good = [
            ("APP_ENV", "production"),
            secret,
            ("SMTP_URL", "smtps://user:hunter2@mail.example.com"),
            ("TWILIO_ACCOUNT_SID", "AC1"),
            ("TWILIO_AUTH_TOKEN", "secret"),
            ("TWILIO_VERIFY_SID", "VA1"),
        ];
        assert!(Config::from_vars(good).expect("valid").cookie.secure);
    }

    #[test]
    fn production_asks_for_a_mail_server_and_its_password_is_not_told() {
        assert!(problems(&[("APP_ENV", "production")]).contains("SMTP_URL: is required"));
        let told = problems(&[("SMTP_URL", "mail.example.com:hunter2"), ("MAIL_FROM", "x"), ("FRONTEND_URL", "x")]);
        assert!(["SMTP_URL", "MAIL_FROM", "FRONTEND_URL"].iter().all(|name| told.contains(name)), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn body_refresh_is_read_as_a_switch_and_by_name() {
        for (text, mode) in
            [("off", BodyRefresh::Off), ("true", BodyRefresh::Rotating), ("Static", BodyRefresh::Static)]
        {
            let config = Config::from_vars([("BODY_REFRESH", text)]).expect("valid");
            assert_eq!(config.body_refresh, mode, "{text}");
        }
        assert!(problems(&[("BODY_REFRESH", "sometimes")]).contains("BODY_REFRESH"));
    }

    #[test]
    fn a_partitioned_cookie_is_one_of_other_sites() {
        assert!(problems(&[("COOKIE_PARTITIONED", "true")]).contains("COOKIE_PARTITIONED"));
        let none = [("COOKIE_SAMESITE", "none"), ("COOKIE_SECURE", "true"), ("COOKIE_PARTITIONED", "true")];
        assert_eq!(problems(&none), "");
    }

    #[test]
    fn a_cross_site_cookie_must_be_secure() {
        assert!(problems(&[("COOKIE_SAMESITE", "none")]).contains("COOKIE_SECURE"));
        assert_eq!(problems(&[("COOKIE_SAMESITE", "none"), ("COOKIE_SECURE", "true")]), "");
    }

    #[test]
    fn the_example_file_names_every_variable_and_its_default_works() {
        let lines = include_str!("../../.env.example").lines();
        let examples: Vec<(&str, &str)> =
            lines.filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('=')).collect();
        let mut reader = Reader::new(HashMap::new());
        Config::gather(&mut reader);
        let known: BTreeSet<&str> = reader.names_read().iter().copied().collect();
        let named: BTreeSet<&str> = examples.iter().map(|(name, _)| *name).collect();
        assert_eq!(named, known);
        let (from_examples, from_nothing) = (Config::from_vars(examples), Config::from_vars([]));
        assert_eq!(format!("{from_examples:?}"), format!("{from_nothing:?}"));
    }
}
