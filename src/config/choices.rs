//! Settings with a fixed list of values.

use std::net::SocketAddr;

use super::reader::Reader;

/// The environment that the server runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppEnv {
    /// The machine of a developer. No setting is required.
    Development,
    /// A server for customers. Some settings are required, and some defaults are stricter.
    Production,
}

/// Whether refresh tokens are also sent in bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRefresh {
    /// They are sent only in the cookie.
    Off,
    /// They are sent in bodies too, with a new token at each refresh.
    Rotating,
    /// They are sent in bodies too, and a customer's session keeps the same token until it ends. This is for frontends
    /// that never store a new token.
    Static,
}

/// Where the metrics are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsHome {
    /// They are not served.
    Off,
    /// They are served on the port of the API.
    Main,
    /// They are served on a separate address and port.
    Own(SocketAddr),
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

impl AppEnv {
    pub(super) fn read(reader: &mut Reader) -> Self {
        reader.parsed("APP_ENV", Self::Development, "development or production", |text| match text {
            "development" => Some(Self::Development),
            "production" => Some(Self::Production),
            _ => None,
        })
    }
}

impl BodyRefresh {
    pub(super) fn read(reader: &mut Reader) -> Self {
        // In older versions, the setting was a switch.
        reader.parsed("BODY_REFRESH", Self::Off, "off, rotating or static", |text| match text.to_lowercase().as_str() {
            "off" | "false" | "no" | "0" => Some(Self::Off),
            "rotating" | "true" | "yes" | "on" | "1" => Some(Self::Rotating),
            "static" => Some(Self::Static),
            _ => None,
        })
    }
}

impl MetricsHome {
    pub(super) fn read(reader: &mut Reader, app_env: AppEnv) -> Self {
        let default = if app_env == AppEnv::Production { Self::Off } else { Self::Main };
        reader.parsed("METRICS_ADDR", default, "off, main, or an address and port such as 127.0.0.1:9100", |text| {
            match text {
                "off" => Some(Self::Off),
                "main" => Some(Self::Main),
                _ => text.parse().ok().map(Self::Own),
            }
        })
    }
}

impl LogFormat {
    pub(super) fn read(reader: &mut Reader) -> Self {
        reader.parsed("LOG_FORMAT", Self::Text, "text or json", |text| match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        })
    }
}
