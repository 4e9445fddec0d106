//! `/api/utils/`: the public catalogue with its four levels. All customers get the same answers, from the cache where
//! possible. Staff also see hidden products; their answers always come from the database.

mod branches;
mod page_request;
mod products;
mod replies;
mod search;

use futures_util::FutureExt;
use poem_openapi::param::Query;
use serde::Serialize;

pub use self::{
    branches::BranchesApi,
    page_request::PageRequest,
    products::ProductsApi,
    replies::{one_brand, one_category, one_model, one_product},
    search::SearchApi,
};
use super::{
    access::Viewer,
    catalogue_out::Timed,
    error::{ApiResult, ErrorCode, refusals},
    etag::{Audience, IfNoneMatch, Tagged},
};
use crate::{
    app::App,
    catalogue::{Rendered, TreeLevel, View, Visibility, error::CatalogueError},
    db::StoreError,
};

type Text = Query<Option<String>>;
type Loaded = Result<Rendered, CatalogueError>;
type Answer<T> = ApiResult<Tagged<T>, CatalogueError>;

fn rendered(reply: &(impl Serialize + Timed)) -> Rendered {
    let body = serde_json::to_string(reply).expect("texts, numbers and lists of them");
    Rendered::new(body, reply.ends_at())
}

/// Returns the answer that shows `view` to everybody: a copy from the cache, or else the result of `load`.
async fn public<T, L>(app: &App, view: View, known: IfNoneMatch, load: impl FnOnce() -> L) -> Answer<T>
where
    L: Future<Output = Loaded> + Send,
{
    Ok(Tagged::new(app.catalogue.answer(view, || admitted(app, load)).await?, known, Audience::All))
}

/// Returns the answer that shows `view` to this caller. Customers get a copy from the cache, or else the result of
/// `load`. For staff it always runs `load`, and the result is not cached.
async fn by_viewer<T, L>(
    app: &App,
    viewer: &Viewer,
    view: View,
    known: IfNoneMatch,
    load: impl FnOnce(Visibility) -> L,
) -> Result<Tagged<T>, CatalogueError>
where
    L: Future<Output = Loaded> + Send,
{
    let (answer, audience) = if viewer.is_staff {
        (load(Visibility::ToStaff).boxed().await?, Audience::Staff)
    } else {
        let load = || admitted(app, || load(Visibility::ToCustomers));
        (app.catalogue.answer(view, load).await?, Audience::Customers)
    };
    Ok(Tagged::new(answer, known, audience))
}

/// Runs `load`. Fails at once if the call would wait too long for the database (see `App::admit`).
fn admitted<L>(app: &App, load: impl FnOnce() -> L) -> impl Future<Output = Loaded> + Send
where
    L: Future<Output = Loaded> + Send,
{
    let loading = app.admit().map(|()| load());
    async { loading?.await }
}

impl From<TreeLevel> for ErrorCode {
    fn from(level: TreeLevel) -> Self {
        match level {
            TreeLevel::Brand => Self::BrandNotFound,
            TreeLevel::Model => Self::ModelNotFound,
            TreeLevel::Category => Self::CategoryNotFound,
            TreeLevel::Product => Self::ProductNotFound,
        }
    }
}

refusals! {
    CatalogueError {
        codes { Busy => TooBusy }
        cases {
            NotFound(level, text) => [BrandNotFound, ModelNotFound, CategoryNotFound, ProductNotFound]
                ApiError::new(level.into(), text),
        }
        causes { Store: StoreError }
    }
}
