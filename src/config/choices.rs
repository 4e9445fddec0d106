//! Settings that are one of a few words.

use std::net::SocketAddr;

use super::reader::Reader;

/// Where the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppEnv {
    /// On a developer's machine.
    Development,
    /// For customers.
    Production,
}

/// Whether refresh tokens also travel in bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRefresh {
    /// Only in the cookie.
    Off,
    /// In bodies too, a new one at each refresh.
    Rotating,
    /// In bodies too, for customers, and the same one until the session ends: for frontends that never take a new one.
    Static,
}

/// Where the metrics are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsHome {
    /// Nowhere.
    Off,
    /// Beside the API.
    Main,
    /// On a port of their own.
    Own(SocketAddr),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl AppEnv {
    pub(super) fn read(r: &mut Reader) -> Self {
        r.parsed("APP_ENV", Self::Development, "development or production", |text| match text {
            "development" => Some(Self::Development),
            "production" => Some(Self::Production),
            _ => None,
        })
    }
}

impl BodyRefresh {
    pub(super) fn read(r: &mut Reader) -> Self {
        // Older versions had a switch.
        r.parsed("BODY_REFRESH", Self::Off, "off, rotating or static", |text| match text.to_lowercase().as_str() {
            "off" | "false" | "no" | "0" => Some(Self::Off),
            "rotating" | "true" | "yes" | "on" | "1" => Some(Self::Rotating),
            "static" => Some(Self::Static),
            _ => None,
        })
    }
}

impl MetricsHome {
    pub(super) fn read(r: &mut Reader, app_env: AppEnv) -> Self {
        let default = if app_env == AppEnv::Production { Self::Off } else { Self::Main };
        r.parsed("METRICS_ADDR", default, "off, main, or an address and port such as 127.0.0.1:9100", |text| match text
        {
            "off" => Some(Self::Off),
            "main" => Some(Self::Main),
            _ => text.parse().ok().map(Self::Own),
        })
    }
}

impl LogFormat {
    pub(super) fn read(r: &mut Reader) -> Self {
        r.parsed("LOG_FORMAT", Self::Text, "text or json", |text| match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        })
    }
}
