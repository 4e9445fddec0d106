//! The settings for the storage of images.

use object_store::ObjectStoreScheme;
use reqwest::Url;
use secrecy::SecretString;

use super::reader::Reader;

/// The prefixes of the usual variables for the credentials of object stores.
const CREDENTIAL_PREFIXES: [&str; 3] = ["AWS_", "GOOGLE_", "AZURE_"];

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
    pub(super) fn read(reader: &mut Reader) -> Self {
        let store_url = reader.text("IMAGE_STORE_URL");
        let public_url = reader.parsed("IMAGE_PUBLIC_URL", None, "a URL such as https://images.example.com", |text| {
            web_url(text).map(Some)
        });
        let cloudinary_url = reader.text("CLOUDINARY_URL");
        let base_url = reader.parsed("CLOUDINARY_BASE_URL", "https://api.cloudinary.com".to_owned(), "a URL", web_url);
        match (store_url, cloudinary_url) {
            (Some(_), Some(_)) => {
                reader.problem("CLOUDINARY_URL", "and IMAGE_STORE_URL are both set: images are kept in one place only");
                Self::Folder
            }
            (Some(url), None) => object_store_account(reader, &url, public_url).map_or(Self::Folder, Self::Objects),
            (None, Some(url)) => cloudinary_account(reader, &url, base_url).map_or(Self::Folder, Self::Cloudinary),
            (None, None) => {
                if public_url.is_some() {
                    reader.problem(
                        "IMAGE_PUBLIC_URL",
                        "says where the images of IMAGE_STORE_URL are read, which is not set",
                    );
                }
                Self::Folder
            }
        }
    }
}

/// Reads the account of an object store. Reports a problem if one of its two URLs is wrong or missing.
fn object_store_account(reader: &mut Reader, url: &str, public_url: Option<String>) -> Option<ObjectStoreAccount> {
    let is_known_store = |url: &Url| {
        use ObjectStoreScheme::{AmazonS3, GoogleCloudStorage, MicrosoftAzure};
        matches!(ObjectStoreScheme::parse(url), Ok((AmazonS3 | GoogleCloudStorage | MicrosoftAzure, _)))
    };
    let store_url = Url::parse(url).ok().filter(is_known_store);
    if store_url.is_none() {
        reader.problem("IMAGE_STORE_URL", "expected s3://bucket/folder, gs://bucket/folder or az://container/folder");
    }
    if public_url.is_none() {
        reader.problem("IMAGE_PUBLIC_URL", "is required with IMAGE_STORE_URL: where its images can be read");
    }
    Some(ObjectStoreAccount {
        url: store_url?,
        public_url: public_url?,
        options: reader.variables_with_prefix(&CREDENTIAL_PREFIXES),
    })
}

/// Reads an account from `cloudinary://key:secret@cloud`. The problem that it reports doesn't repeat the URL, which may
/// contain a secret.
fn cloudinary_account(reader: &mut Reader, url: &str, base_url: String) -> Option<CloudinaryAccount> {
    let account = url.strip_prefix("cloudinary://").and_then(|rest| {
        let (credentials, cloud_and_options) = rest.rsplit_once('@')?;
        let (api_key, api_secret) = credentials.split_once(':')?;
        // Anything after the name of the cloud configures Cloudinary's own clients.
        let cloud = cloud_and_options.split(['/', '?']).next().unwrap_or_default();
        let is_plain_name =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let is_complete = is_plain_name(cloud) && is_plain_name(api_key) && !api_secret.is_empty();
        is_complete.then(|| CloudinaryAccount {
            cloud: cloud.to_owned(),
            api_key: api_key.to_owned(),
            api_secret: api_secret.into(),
            base_url,
        })
    });
    if account.is_none() {
        reader.problem("CLOUDINARY_URL", "is no URL such as cloudinary://key:secret@cloud");
    }
    account
}

/// Returns a URL without its final slash, or `None` if it isn't plain. The URLs of images are built from it, so it must
/// have no credentials, query or fragment.
pub(super) fn web_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| ["https", "http"].contains(&url.scheme()) && url.has_host())?;
    let has_only_host_and_path =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (has_only_host_and_path && text.len() <= 1024).then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// Returns the settings for images as text, or the problems of the configuration.
    fn settings_or_problems(vars: &[(&str, &str)]) -> String {
        Config::from_vars(vars.iter().copied())
            .map_or_else(|problems| problems.to_string(), |config| format!("{:?}", config.images))
    }

    const CLOUDINARY: (&str, &str) = ("CLOUDINARY_URL", "cloudinary://key:hunter2@shop");

    #[test]
    fn there_is_one_home_and_its_secrets_are_not_told() {
        let public = ("IMAGE_PUBLIC_URL", "https://images.example.com/");
        let store = ("IMAGE_STORE_URL", "s3://bucket/images");
        assert_eq!(settings_or_problems(&[]), "Folder");
        let cloudinary = settings_or_problems(&[CLOUDINARY]);
        assert!(cloudinary.contains("shop") && !cloudinary.contains("hunter2"), "{cloudinary}");
        let objects = settings_or_problems(&[store, public, ("AWS_SECRET_ACCESS_KEY", "hunter2")]);
        assert!(objects.contains("AWS_SECRET_ACCESS_KEY") && !objects.contains("hunter2"), "{objects}");
        assert!(settings_or_problems(&[store, public, CLOUDINARY]).contains("one place only"));
        assert!(settings_or_problems(&[store]).contains("IMAGE_PUBLIC_URL: is required"));
        assert!(settings_or_problems(&[public]).contains("IMAGE_PUBLIC_URL"));
    }

    #[test]
    fn urls_that_cannot_work_are_refused_and_not_repeated() {
        for url in ["cloudinary://hunter2", "cloudinary://key@shop", "cloudinary://a:hunter2@", "https://a:hunter2@b"] {
            let text = settings_or_problems(&[("CLOUDINARY_URL", url)]);
            assert!(text.contains("CLOUDINARY_URL: is no URL") && !text.contains("hunter2"), "{text}");
        }
        for url in ["bucket", "ftp://bucket", "file:///tmp", "memory:///", "https://example.com/x", "s3://"] {
            let vars = [("IMAGE_STORE_URL", url), ("IMAGE_PUBLIC_URL", "https://images.example.com")];
            assert!(settings_or_problems(&vars).contains("IMAGE_STORE_URL: expected"), "{url}");
        }
        for url in ["images.example.com", "https://", "https://a/?b=c", "https://user:hunter2@a"] {
            assert!(settings_or_problems(&[("IMAGE_PUBLIC_URL", url)]).contains("IMAGE_PUBLIC_URL"), "{url}");
        }
    }
}
