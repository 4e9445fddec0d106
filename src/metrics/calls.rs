//! Answers by the pattern of their path: single paths would be as many as callers like.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

/// Upper ends in seconds: what a copy takes, what the database takes, what a hash takes, and what nobody waits for.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Methods of the API; any other is one more.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// How many answers, and after what time.
#[derive(Debug, Clone)]
pub struct Calls(Family<Labels, Histogram, fn() -> Histogram>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: Route,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route(Option<Arc<str>>);

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.0.as_deref().unwrap_or("none"), encoder)
    }
}

impl Calls {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let new: fn() -> Histogram = || Histogram::new(BUCKETS);
        let calls = Family::new_with_constructor(new);
        let help = "Answers by method, route and status, and the seconds until they began";
        registry.register("http_request_duration_seconds", help, calls.clone());
        Self(calls)
    }

    /// A call was answered; `route` is `None` where no path matched.
    pub fn answered(&self, method: &str, route: Option<Arc<str>>, status: u16, took: Duration) {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        let labels = Labels { method, route: Route(route), status };
        self.0.get_or_create(&labels).observe(took.as_secs_f64());
    }
}
