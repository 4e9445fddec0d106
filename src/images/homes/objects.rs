//! Images as objects at S3 (or a service with the same API), Google Cloud Storage or Azure.

use std::{error::Error as _, sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use object_store::{
    Attribute, ClientOptions, ObjectStore, ObjectStoreExt, ObjectStoreScheme, PutOptions, RetryConfig,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    client::{HttpError, HttpErrorKind},
    gcp::GoogleCloudStorageBuilder,
    path::Path,
};
use secrecy::{ExposeSecret, SecretString};

use super::HomeUnavailable;
use crate::{
    config::ObjectStoreAccount,
    images::{key, picture::Picture, variants},
    values::tls::install_tls,
};

/// The longest time for one request. It is short because a person waits for the answer.
const CALL_LIMIT: Duration = Duration::from_secs(15);
/// The longest time for opening a connection. It is short enough for a second attempt within [`OPERATION_LIMIT`].
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// The longest time for an operation with all its requests, including those that fetch credentials.
const OPERATION_LIMIT: Duration = Duration::from_secs(25);
/// The `Cache-Control` of images. They never change, because no name is given to a second image.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A folder of an object store.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    public_url: String,
}

/// The error for settings from which no object store can be opened. It doesn't repeat the wrong setting, which may be a
/// secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("IMAGE_STORE_URL can't be used with what the variables AWS_…, GOOGLE_… and AZURE_… say")]
pub struct UnusableStore;

/// Builds a store with the account's URL and options, as a `Result<Arc<dyn ObjectStore>, UnusableStore>`. Options that
/// its builder doesn't know are left out, since they may belong to another kind of store.
macro_rules! build_store {
    ($builder:ty, $account:expr, $finish:expr) => {{
        let fresh = <$builder>::new()
            .with_url($account.url.as_str())
            .with_client_options(client_options())
            .with_retry(no_retry());
        let configured = $account.options.iter().fold(fresh, |builder, (name, value): &(String, SecretString)| {
            match name.to_ascii_lowercase().parse() {
                Ok(key) => builder.with_config(key, value.expose_secret()),
                Err(_) => builder,
            }
        });
        let finish: fn($builder) -> $builder = $finish;
        let built = finish(configured).build().map_err(|_| UnusableStore);
        built.map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
    }};
}

impl Objects {
    /// Opens the store of an account, without sending anything to it.
    pub fn open(account: &ObjectStoreAccount) -> Result<Self, UnusableStore> {
        install_tls();
        let (scheme, folder) = ObjectStoreScheme::parse(&account.url).map_err(|_| UnusableStore)?;
        let store = match scheme {
            // Not every service with the API of S3 can remove many objects in one request.
            ObjectStoreScheme::AmazonS3 => {
                build_store!(AmazonS3Builder, account, |s3| s3.with_disable_bulk_delete(true))
            }
            ObjectStoreScheme::GoogleCloudStorage => build_store!(GoogleCloudStorageBuilder, account, |gcs| gcs),
            ObjectStoreScheme::MicrosoftAzure => build_store!(MicrosoftAzureBuilder, account, |azure| azure),
            _ => Err(UnusableStore),
        }?;
        Ok(Self { store, folder, public_url: account.public_url.clone() })
    }

    /// Keeps an image with its variants, each as an object, and returns the URL of the image.
    pub async fn keep(&self, name: &str, picture: Picture) -> Result<String, HomeUnavailable> {
        let files = picture.into_files(name).into_iter();
        try_join_all(files.map(|(name, bytes)| self.put(name, bytes))).await?;
        Ok(format!("{}/{name}", self.public_url))
    }

    /// Stores an object. The request is sent a second time only if no connection could be opened.
    async fn put(&self, name: String, bytes: Vec<u8>) -> Result<(), HomeUnavailable> {
        let path = self.folder.clone().join(name.as_str());
        let bytes = object_store::PutPayload::from(bytes);
        let put = || self.store.put_opts(&path, bytes.clone(), put_options(&name));
        let kept = async {
            match put().await {
                Err(error) if http_kind(&error) == Some(HttpErrorKind::Connect) => put().await,
                result => result,
            }
        };
        self.within_limit("keep", kept).await?;
        Ok(())
    }

    /// Removes an image with its variants; succeeds if they are gone already.
    pub async fn remove(&self, name: &str) -> Result<(), HomeUnavailable> {
        try_join_all(variants::names_of(name).into_iter().map(|name| self.delete(name))).await?;
        self.delete(name.to_owned()).await
    }

    async fn delete(&self, name: String) -> Result<(), HomeUnavailable> {
        let path = self.folder.clone().join(name);
        let removed = async {
            match self.store.delete(&path).await {
                Err(object_store::Error::NotFound { .. }) => Ok(()),
                result => result,
            }
        };
        self.within_limit("remove", removed).await
    }

    async fn within_limit<T>(
        &self,
        what: &'static str,
        call: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, HomeUnavailable> {
        let done = tokio::time::timeout(OPERATION_LIMIT, call).await.map_err(|_| {
            tracing::warn!(what, "the object store took too long");
            HomeUnavailable
        })?;
        done.map_err(|error| {
            tracing::warn!(what, cause = reason(&error), http = ?http_kind(&error), "the object store failed");
            HomeUnavailable
        })
    }
}

fn client_options() -> ClientOptions {
    ClientOptions::new().with_timeout(CALL_LIMIT).with_connect_timeout(CONNECT_LIMIT)
}

fn no_retry() -> RetryConfig {
    RetryConfig { max_retries: 0, retry_timeout: CALL_LIMIT, ..RetryConfig::default() }
}

fn put_options(name: &str) -> PutOptions {
    let content_type = key::content_type(name).unwrap_or("application/octet-stream");
    let attributes = [(Attribute::ContentType, content_type), (Attribute::CacheControl, FOREVER)];
    PutOptions { attributes: attributes.into_iter().collect(), ..PutOptions::default() }
}

/// Describes an error for the log by its kind only. Its text may contain signed URLs and the service's answer.
fn reason(error: &object_store::Error) -> &'static str {
    use object_store::Error;
    match error {
        Error::NotFound { .. } => "no such bucket",
        Error::PermissionDenied { .. } => "the credentials don't allow it",
        Error::Unauthenticated { .. } => "the credentials are wrong",
        _ => "see http",
    }
}

/// Returns how the HTTP request failed, searching the whole chain of causes; `None` if no HTTP error is in it.
fn http_kind(error: &object_store::Error) -> Option<HttpErrorKind> {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(http) = next.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        cause = next.source();
    }
    None
}
