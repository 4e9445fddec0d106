//! A limit for the requests in progress. Requests that continue after their callers have left are included.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt, TryFutureExt, future};
use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderValue, Method, header},
};

use super::shares::{Household, NothingLeft, Share, ShareGauges, Shares};
use crate::{
    api::{
        access::{ClientAddress, is_signed},
        error::{ApiError, BodyFault, ErrorCode},
    },
    app::App,
    config::Bounds,
};

/// The health checks. They must answer when everything else is busy, so they are not limited.
const HEALTH_CHECKS: [&str; 2] = ["/healthz", "/readyz"];

/// The layer that limits the requests in progress.
pub struct Places {
    shared: Arc<Shared>,
}

struct Shared {
    app: Arc<App>,
    request_shares: Arc<Shares>,
    body_shares: Arc<Shares>,
}

/// What one call uses up: a place among the requests, and memory for its body.
///
/// It is free again when the caller has received the answer or, if the caller has left, when the call has ended.
#[derive(Clone)]
pub struct Place(Arc<HeldShares>);

struct HeldShares {
    _request: Share,
    body: Mutex<Share>,
    caller: Caller,
}

/// The caller of a request. Whether the caller is signed in is checked only when it matters.
struct Caller {
    app: Arc<App>,
    authorization: Option<HeaderValue>,
}

impl Caller {
    fn is_signed_in(&self) -> bool {
        self.authorization.as_ref().is_some_and(|authorization| is_signed(&self.app, authorization))
    }
}

impl Place {
    /// Reserves memory for more bytes of the body. Fails with [`BodyFault::NoRoom`] if too little is left.
    pub fn grow(&self, bytes: usize) -> Result<(), BodyFault> {
        let mut body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.grow(bytes, || self.0.caller.is_signed_in()).map_err(|_| BodyFault::NoRoom)
    }
}

impl Places {
    /// Creates the layer with the limits from the settings.
    pub fn new(app: &Arc<App>) -> Self {
        let Bounds { requests, requests_of_address, body_bytes, .. } = app.config.bounds;
        let (held, refused) = (&app.metrics.held, &app.metrics.refused);
        let request_gauges = ShareGauges { in_use: held.requests.clone(), refused: refused.requests.clone() };
        let request_shares = Shares::new(requests, requests / 4, requests_of_address, request_gauges);
        let body_gauges = ShareGauges { in_use: held.body_bytes.clone(), refused: refused.bodies.clone() };
        let body_shares = Shares::new(body_bytes, body_bytes / 4, body_bytes / 2, body_gauges);
        Self { shared: Arc::new(Shared { app: Arc::clone(app), request_shares, body_shares }) }
    }
}

impl Shared {
    /// Returns a place for a request, or `None` for a health check. Fails if there is no place left, or if the request
    /// would wait too long for the database.
    fn admit(&self, request: &Request) -> Result<Option<Place>, NothingLeft> {
        if HEALTH_CHECKS.contains(&request.uri().path()) {
            return Ok(None);
        }
        let place = self.take_place(request)?;
        // Copies of the catalogue are served to everybody, no matter how busy the database is.
        if may_need_database(request) {
            self.app.admit().map_err(|_| NothingLeft)?;
        }
        Ok(Some(place))
    }

    fn take_place(&self, request: &Request) -> Result<Place, NothingLeft> {
        let client = request.data::<ClientAddress>().map(|address| address.0).filter(|client| client.is_known);
        let household = client.map(|client| Household::of(client.ip));
        let authorization = request.headers().get(header::AUTHORIZATION).cloned();
        let caller = Caller { app: Arc::clone(&self.app), authorization };
        let share = self.request_shares.take(household, 1, || caller.is_signed_in())?;
        let body = Mutex::new(self.body_shares.empty_share(household));
        Ok(Place(Arc::new(HeldShares { _request: share, body, caller })))
    }
}

impl<E: Endpoint> Middleware<E> for Places {
    type Output = PlacesEndpoint<E>;

    fn transform(&self, inner: E) -> PlacesEndpoint<E> {
        PlacesEndpoint { inner, shared: Arc::clone(&self.shared) }
    }
}

/// The endpoint behind [`Places`].
pub struct PlacesEndpoint<E> {
    inner: E,
    shared: Arc<Shared>,
}

impl<E: Endpoint> Endpoint for PlacesEndpoint<E> {
    type Output = Response;

    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        let place = match self.shared.admit(&request) {
            Ok(place) => place,
            Err(nothing_left) => return future::ready(Err(ApiError::from(nothing_left).into())).left_future(),
        };
        if let Some(place) = &place {
            request.set_data(place.clone());
        }
        let add_place = move |response: E::Output| {
            let mut response = response.into_response();
            if let Some(place) = place {
                response.set_data(place);
            }
            response
        };
        self.inner.call(request).map_ok(add_place).right_future()
    }
}

/// Returns whether a call can't be answered from memory. Only a `GET` without a token can be.
fn may_need_database(request: &Request) -> bool {
    *request.method() != Method::GET || request.headers().contains_key(header::AUTHORIZATION)
}

impl From<NothingLeft> for ApiError {
    fn from(error: NothingLeft) -> Self {
        Self::new(ErrorCode::TooBusy, error.to_string())
    }
}
