//! A fake collector of OpenTelemetry traces.

use std::sync::{Arc, Mutex};

use poem::{EndpointExt, Route, handler, post, web::Data};

use super::fake::serve_fake;

type Batches = Arc<Mutex<Vec<Vec<u8>>>>;

pub struct FakeCollector {
    /// The base URL.
    pub url: String,
    batches: Batches,
}

impl FakeCollector {
    /// Starts a collector that keeps everything it receives.
    pub async fn start() -> Self {
        let batches = Batches::default();
        let routes = Route::new().at("/v1/traces", post(take)).data(Arc::clone(&batches));
        Self { url: serve_fake(routes).await, batches }
    }

    /// Returns whether a received batch contains these bytes. Protobuf does not encode texts, so they can be searched.
    pub fn has(&self, bytes: &[u8]) -> bool {
        let batches = self.batches.lock().expect("the batches");
        batches.iter().any(|batch| batch.windows(bytes.len()).any(|window| window == bytes))
    }
}

#[handler]
fn take(body: Vec<u8>, Data(batches): Data<&Batches>) {
    batches.lock().expect("the batches").push(body);
}
