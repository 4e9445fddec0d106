//! Counts and durations of calls.
//!
//! They are counted by route, such as `/api/utils/products/:param0`, and not by path: callers can invent any number of
//! paths.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};

/// The upper ends of the buckets in seconds. The first ones are for answers from memory, the next for calls of the
/// database, then come password hashes, and the last ones are for calls that are too slow.
const BUCKETS: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// The methods that are counted by name. All others are counted as `other`.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The number of answers and the time until they began, by method, route and status.
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

    /// Counts a call that was answered after `duration`. `route` is `None` if the path matched no route.
    pub fn record_answer(&self, method: &str, route: Option<Arc<str>>, status: u16, duration: Duration) {
        let method_name = METHODS.into_iter().find(|known| *known == method).unwrap_or("other");
        let labels = Labels { method: method_name, route: Route(route), status };
        self.0.get_or_create(&labels).observe(duration.as_secs_f64());
    }
}
