//! Images at Cloudinary, through its signed upload API:
//! <https://cloudinary.com/documentation/image_upload_api_reference>.

use std::time::Duration;

use reqwest::{
    Client, Response,
    multipart::{Form, Part},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use sha1::{Digest, Sha1};

use super::HomeUnavailable;
use crate::{
    config::CloudinaryAccount,
    images::{key, picture::Picture},
    values::{time::Timestamp, tls::install_tls},
};

/// The longest time for one request. It is short because a person waits for the answer.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// The longest time for opening a connection. It is short because a failed attempt is repeated once.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Folder of the shop's images in the account, which may also hold other images.
const FOLDER: &str = "myspares";

/// A client of one account.
pub struct Cloudinary {
    client: Client,
    base: String,
    api_key: String,
    api_secret: SecretString,
}

#[derive(Deserialize)]
struct Uploaded {
    secure_url: String,
}

#[derive(Deserialize)]
struct Destroyed {
    result: String,
}

impl Cloudinary {
    /// Creates a client for an account, without sending anything.
    pub fn new(account: &CloudinaryAccount) -> reqwest::Result<Self> {
        install_tls();
        Ok(Self {
            client: Client::builder().timeout(CALL_LIMIT).connect_timeout(CONNECT_LIMIT).build()?,
            base: format!("{}/v1_1/{}/image", account.base_url, account.cloud),
            api_key: account.api_key.clone(),
            api_secret: account.api_secret.clone(),
        })
    }

    /// Keeps an image and returns its URL.
    pub async fn keep(&self, name: &str, picture: Picture, now: Timestamp) -> Result<String, HomeUnavailable> {
        let content_type = key::content_type(name).unwrap_or("application/octet-stream");
        let mut parameters =
            vec![("folder", FOLDER.to_owned()), ("public_id", public_id(name).to_owned()), ("timestamp", seconds(now))];
        // Cloudinary makes the variants itself. Those that are asked for now work in accounts that make no others.
        let variants = picture.variants.iter().map(|(width, _)| format!("c_limit,w_{width}")).collect::<Vec<_>>();
        if !variants.is_empty() {
            parameters.push(("eager", variants.join("|")));
        }
        let upload_form = || {
            let file = Part::bytes(picture.bytes.clone()).file_name(name.to_owned()).mime_str(content_type).ok()?;
            Some(self.signed_form(&parameters).part("file", file))
        };
        let uploaded: Uploaded = self.call("upload", upload_form).await?;
        Ok(uploaded.secure_url)
    }

    /// Removes an image; succeeds if it is gone already. In accounts with dynamic folders the name of an image doesn't
    /// contain its folder, in others it does, so both names are tried.
    pub async fn remove(&self, name: &str, now: Timestamp) -> Result<(), HomeUnavailable> {
        let id = public_id(name);
        for full_id in [format!("{FOLDER}/{id}"), id.to_owned()] {
            let parameters = [("invalidate", "true".to_owned()), ("public_id", full_id), ("timestamp", seconds(now))];
            let destroyed: Destroyed = self.call("destroy", || Some(self.signed_form(&parameters))).await?;
            match destroyed.result.as_str() {
                "ok" => return Ok(()),
                "not found" => {}
                _ => return Err(HomeUnavailable),
            }
        }
        Ok(())
    }

    fn signed_form(&self, parameters: &[(&'static str, String)]) -> Form {
        let form = parameters.iter().fold(Form::new(), |form, (name, value)| form.text(*name, value.clone()));
        form.text("api_key", self.api_key.clone()).text("signature", signature(parameters, &self.api_secret))
    }

    /// Sends a request and reads its answer. The request is sent a second time only if no connection could be opened.
    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        make_form: impl Fn() -> Option<Form>,
    ) -> Result<T, HomeUnavailable> {
        let url = format!("{}/{action}", self.base);
        let post = || async {
            let form = make_form().ok_or(HomeUnavailable)?;
            Ok(self.client.post(&url).multipart(form).send().await)
        };
        let response = match post().await? {
            Err(error) if error.is_connect() => post().await?,
            result => result,
        };
        let unreachable = |error: reqwest::Error| {
            // The URL is left out because it names the account.
            tracing::warn!(error = %error.without_url(), action, "Cloudinary can't be reached");
            HomeUnavailable
        };
        read_answer(response.map_err(unreachable)?, action).await
    }
}

async fn read_answer<T: DeserializeOwned>(answer: Response, action: &'static str) -> Result<T, HomeUnavailable> {
    let status = answer.status().as_u16();
    if !answer.status().is_success() {
        tracing::warn!(status, action, "Cloudinary refused");
        return Err(HomeUnavailable);
    }
    answer.json().await.map_err(|_| {
        tracing::warn!(status, action, "Cloudinary answered with something else than its API says");
        HomeUnavailable
    })
}

/// Computes Cloudinary's signature: the SHA-1 of `name=value` for all parameters, in alphabetical order and joined by
/// `&`, followed by the secret. The parameters `file` and `api_key` are not signed.
fn signature(parameters: &[(&'static str, String)], secret: &SecretString) -> String {
    let mut sorted: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    sorted.sort();
    let digest = Sha1::new().chain_update(sorted.join("&")).chain_update(secret.expose_secret()).finalize();
    hex::encode(digest)
}

/// Returns the name without its extension, which Cloudinary adds by itself.
fn public_id(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

fn seconds(now: Timestamp) -> String {
    now.seconds().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_as_the_documentation_computes_them() {
        // The example of https://cloudinary.com/documentation/authentication_signatures, in another order.
        let parameters = [
            ("timestamp", "1315060510".to_owned()),
            ("public_id", "sample_image".to_owned()),
            ("eager", "w_400,h_300,c_pad|w_260,h_200,c_crop".to_owned()),
        ];
        assert_eq!(signature(&parameters, &"abcd".into()), "bfd09f95f331f558cbd1320e67aa8d488770583e");
    }
}
