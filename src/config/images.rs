//! The settings for the storage of images.

use object_store::ObjectStoreScheme;
use reqwest::Url;
use secrecy::SecretString;

use super::reader::Reader;

/// The prefixes of the usual variables for the credentials of object stores.
const CREDENTIALS: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

/// The place where images are stored.
#[derive(Debug, Clone)]
pub enum ImageHome {
    /// The folder `media` in `DATA_DIR`, which is served at `/media/`.
    Folder,
    /// An object store.
    Objects(ObjectStoreAccount),
    /// Cloudinary.
    Cloudinary(CloudinaryAccount),
}

/// A bucket or container at S3 or a compatible service, at Google Cloud Storage or at Azure.
#[derive(Debug, Clone)]
pub struct ObjectStoreAccount {
    /// The bucket and folder, such as `s3://bucket/folder`.
    pub url: Url,
    /// The public URL of that folder, without a final slash.
    pub public_url: String,
    /// Names and values of the environment variables with credentials, regions and endpoints.
    pub options: Vec<(String, SecretString)>,
}

/// An account at Cloudinary.
#[derive(Debug, Clone)]
pub struct CloudinaryAccount {
    /// The name of the cloud.
    pub cloud: String,
    /// The public part of the key pair.
    pub api_key: String,
    /// The secret part of the key pair.
    pub api_secret: SecretString,
    /// The URL of Cloudinary's API, without a final slash.
    pub base_url: String,
}

impl ImageHome {
    pub(super) fn read(r: &mut Reader) -> Self {
        let store = r.text("IMAGE_STORE_URL");
        let public_url = r.parsed("IMAGE_PUBLIC_URL", None, "a URL such as https://images.example.com", |text| {
            web_url(text).map(Some)
        });
        let cloudinary = r.text("CLOUDINARY_URL");
        let base_url = r.parsed("CLOUDINARY_BASE_URL", "https://api.cloudinary.com".to_owned(), "a URL", web_url);
        match (store, cloudinary) {
            (Some(_), Some(_)) => {
                r.problem("CLOUDINARY_URL", "and IMAGE_STORE_URL are both set: images are kept in one place only");
                Self::Folder
            }
            (Some(store), None) => objects(r, &store, public_url).map_or(Self::Folder, Self::Objects),
            (None, Some(url)) => cloudinary_account(r, &url, base_url).map_or(Self::Folder, Self::Cloudinary),
            (None, None) => {
                if public_url.is_some() {
                    r.problem(
                        "IMAGE_PUBLIC_URL",
                        "says where the images of IMAGE_STORE_URL are read, which is not set",
                    );
                }
                Self::Folder
            }
        }
    }
}

fn objects(r: &mut Reader, url: &str, public_url: Option<String>) -> Option<ObjectStoreAccount> {
    let known = |url: &Url| {
        use ObjectStoreScheme::{AmazonS3, GoogleCloudStorage, MicrosoftAzure};
        matches!(ObjectStoreScheme::parse(url), Ok((AmazonS3 | GoogleCloudStorage | MicrosoftAzure, _)))
    };
    let url = Url::parse(url).ok().filter(known);
    if url.is_none() {
        r.problem("IMAGE_STORE_URL", "expected s3://bucket/folder, gs://bucket/folder or az://container/folder");
    }
    if public_url.is_none() {
        r.problem("IMAGE_PUBLIC_URL", "is required with IMAGE_STORE_URL: where its images can be read");
    }
    Some(ObjectStoreAccount { url: url?, public_url: public_url?, options: r.family(&CREDENTIALS) })
}

/// Reads an account from `cloudinary://key:secret@cloud`. The problem that it reports doesn't repeat the URL, which may
/// contain a secret.
fn cloudinary_account(r: &mut Reader, url: &str, base_url: String) -> Option<CloudinaryAccount> {
    let account = url.strip_prefix("cloudinary://").and_then(|rest| {
        let (credentials, cloud) = rest.rsplit_once('@')?;
        let (api_key, api_secret) = credentials.split_once(':')?;
        // Anything after the name of the cloud configures Cloudinary's own clients.
        let cloud = cloud.split(['/', '?']).next().unwrap_or_default();
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let whole = plain(cloud) && plain(api_key) && !api_secret.is_empty();
        whole.then(|| CloudinaryAccount {
            cloud: cloud.to_owned(),
            api_key: api_key.to_owned(),
            api_secret: api_secret.into(),
            base_url,
        })
    });
    if account.is_none() {
        r.problem("CLOUDINARY_URL", "is no URL such as cloudinary://key:secret@cloud");
    }
    account
}

/// Returns a URL without its final slash, or `None` if it isn't plain. The URLs of images are built from it, so it must
/// have no credentials, query or fragment.
fn web_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| ["https", "http"].contains(&url.scheme()) && url.has_host())?;
    let bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (bare && text.len() <= 1024).then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn told(vars: &[(&str, &str)]) -> String {
        Config::from_vars(vars.iter().copied())
            .map_or_else(|problems| problems.to_string(), |config| format!("{:?}", config.images))
    }

    const CLOUDINARY: (&str, &str) = ("CLOUDINARY_URL", "cloudinary://key:hunter2@shop");

    #[test]
    fn there_is_one_home_and_its_secrets_are_not_told() {
        let public = ("IMAGE_PUBLIC_URL", "https://images.example.com/");
        let store = ("IMAGE_STORE_URL", "s3://bucket/images");
        assert_eq!(told(&[]), "Folder");
        let cloudinary = told(&[CLOUDINARY]);
        assert!(cloudinary.contains("shop") && !cloudinary.contains("hunter2"), "{cloudinary}");
        let objects = told(&[store, public, ("AWS_SECRET_ACCESS_KEY", "hunter2")]);
        assert!(objects.contains("AWS_SECRET_ACCESS_KEY") && !objects.contains("hunter2"), "{objects}");
        assert!(told(&[store, public, CLOUDINARY]).contains("one place only"));
        assert!(told(&[store]).contains("IMAGE_PUBLIC_URL: is required"));
        assert!(told(&[public]).contains("IMAGE_PUBLIC_URL"));
    }

    #[test]
    fn urls_that_cannot_work_are_refused_and_not_repeated() {
        for url in ["cloudinary://hunter2", "cloudinary://key@shop", "cloudinary://a:hunter2@", "https://a:hunter2@b"] {
            let told = told(&[("CLOUDINARY_URL", url)]);
            assert!(told.contains("CLOUDINARY_URL: is no URL") && !told.contains("hunter2"), "{told}");
        }
        for url in ["bucket", "ftp://bucket", "file:///tmp", "memory:///", "https://example.com/x", "s3://"] {
            let vars = [("IMAGE_STORE_URL", url), ("IMAGE_PUBLIC_URL", "https://images.example.com")];
            assert!(told(&vars).contains("IMAGE_STORE_URL: expected"), "{url}");
        }
        for url in ["images.example.com", "https://", "https://a/?b=c", "https://user:hunter2@a"] {
            assert!(told(&[("IMAGE_PUBLIC_URL", url)]).contains("IMAGE_PUBLIC_URL"), "{url}");
        }
    }
}
