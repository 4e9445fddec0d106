//! A collector of traces of the tests' own.

use std::sync::{Arc, Mutex};

use poem::{EndpointExt, Route, handler, post, web::Data};

use super::fake::serve_fake;

type Batches = Arc<Mutex<Vec<Vec<u8>>>>;

/// A running collector.
pub struct FakeCollector {
    /// Where it is.
    pub url: String,
    batches: Batches,
}

impl FakeCollector {
    /// Starts one that takes everything.
    pub async fn start() -> Self {
        let batches = Batches::default();
        let routes = Route::new().at("/v1/traces", post(take)).data(Arc::clone(&batches));
        Self { url: serve_fake(routes).await, batches }
    }

    /// Whether any span holds these bytes: texts stand in protobuf as they are.
    pub fn has(&self, bytes: &[u8]) -> bool {
        let batches = self.batches.lock().expect("the batches");
        batches.iter().any(|batch| batch.windows(bytes.len()).any(|window| window == bytes))
    }
}

#[handler]
fn take(body: Vec<u8>, Data(batches): Data<&Batches>) {
    batches.lock().expect("the batches").push(body);
}
