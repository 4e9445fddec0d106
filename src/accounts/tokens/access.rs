//! Access tokens: JWTs (RFC 7519) that name a session and expire after some minutes.

use std::{fmt, sync::Once};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use serde::{Deserialize, Serialize};

use super::hs256;
use crate::values::{
    ids::{SessionId, SessionRef, TokenId, UserId},
    keys::MacKey,
    role::Role,
    time::Timestamp,
};

const ISSUER: &str = "myspares-auth-service";
const TOKEN_TYPE: &str = "access";

/// A signed access token. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// The token was not signed by this shop, was changed, or has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid or expired access token")]
pub struct InvalidAccessToken;

/// What a token says about its bearer. `username`, `role` and `phone_number` are there for frontends. The server reads
/// them from the database instead; only while it has no database does it read `role` ([`AccessTokens::signed_role`]).
#[derive(Debug)]
pub struct Bearer<'a> {
    /// The account and its session.
    pub session: SessionRef,
    /// The name of the account.
    pub username: &'a str,
    /// The phone number of the account, if it has one.
    pub phone_number: Option<&'a str>,
    /// The role of the account at the time of signing.
    pub role: Role,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    sub: String,
    user_id: String,
    username: &'a str,
    phone_number: Option<&'a str>,
    role: Role,
    sid: String,
    jti: String,
    iat: i64,
    exp: i64,
    token_type: &'static str,
}

/// The claims that the server checks.
#[derive(Deserialize)]
struct CheckedClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    sid: &'a str,
    exp: i64,
    token_type: &'a str,
}

/// Signs and checks access tokens.
pub struct AccessTokens {
    signing_key: EncodingKey,
    accepted_keys: Vec<DecodingKey>,
}

impl AccessTokens {
    /// Makes a signer that signs with the first key and accepts tokens of all keys. Panics if `keys` is empty.
    pub fn new(keys: &[MacKey]) -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            hs256::PROVIDER.install_default().expect("nothing else in this process installs a JWT provider");
        });
        let accepted_keys = keys.iter().map(|key| DecodingKey::from_secret(key.bytes())).collect();
        Self { signing_key: EncodingKey::from_secret(keys[0].bytes()), accepted_keys }
    }

    /// Signs a token for `bearer` that expires at `expires_at`.
    pub fn sign(&self, bearer: &Bearer<'_>, now: Timestamp, expires_at: Timestamp) -> AccessToken {
        let user = bearer.session.user.to_string();
        let claims = Claims {
            iss: ISSUER,
            sub: user.clone(),
            user_id: user,
            username: bearer.username,
            phone_number: bearer.phone_number,
            role: bearer.role,
            sid: bearer.session.session.to_string(),
            jti: TokenId::new().to_string(),
            iat: now.seconds(),
            exp: expires_at.seconds(),
            token_type: TOKEN_TYPE,
        };
        let token = jsonwebtoken::encode(&Header::default(), &claims, &self.signing_key);
        AccessToken(token.expect("the claims are plain text and numbers"))
    }

    /// Returns the role that the account had when the token was signed. Use this only while the database can't be asked
    /// for the current role.
    pub fn signed_role(&self, token: &str, now: Timestamp) -> Result<Role, InvalidAccessToken> {
        #[derive(Deserialize)]
        struct RoleClaim {
            role: Role,
        }
        self.check(token, now)?;
        let json = self.signed_claims(token).ok_or(InvalidAccessToken)?;
        let RoleClaim { role } = serde_json::from_slice(&json).map_err(|_| InvalidAccessToken)?;
        Ok(role)
    }

    /// Checks a token and returns the session that it names. Only the database knows whether that session is still
    /// alive.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<SessionRef, InvalidAccessToken> {
        let json = self.signed_claims(token).ok_or(InvalidAccessToken)?;
        let claims: CheckedClaims<'_> = serde_json::from_slice(&json).map_err(|_| InvalidAccessToken)?;
        if claims.iss != ISSUER || claims.token_type != TOKEN_TYPE || claims.exp <= now.seconds() {
            return Err(InvalidAccessToken);
        }
        let user: UserId = claims.sub.parse().map_err(|_| InvalidAccessToken)?;
        let session: SessionId = claims.sid.parse().map_err(|_| InvalidAccessToken)?;
        Ok(SessionRef { user, session })
    }

    /// Returns the claims of a token as JSON; `None` unless one of the keys has signed it.
    ///
    /// The header of the token is ignored. These keys sign only HS256 tokens, so a caller must not be able to choose
    /// the algorithm (RFC 8725, section 3.1). The `decode` function of the library takes twice as long, because it also
    /// reads the header and checks the claims by its own rules.
    fn signed_claims(&self, token: &str) -> Option<Vec<u8>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_header, claims) = signed.split_once('.')?;
        let has_signed =
            |key| crypto::verify(signature, signed.as_bytes(), key, Algorithm::HS256).is_ok_and(|valid| valid);
        if self.accepted_keys.iter().any(has_signed) { URL_SAFE_NO_PAD.decode(claims).ok() } else { None }
    }
}

impl AccessToken {
    /// Returns the token. Use it only in the answer to its bearer.
    pub fn expose(self) -> String {
        self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::keys::Keys;

    const OLD: &[u8] = b"old secret of at least 32 bytes!";
    const NEW: &[u8] = b"new secret of at least 32 bytes!";

    fn signer(secret: &[u8], previous: Option<&[u8]>) -> AccessTokens {
        AccessTokens::new(&Keys::derive(secret, previous).access)
    }

    fn sign_for(tokens: &AccessTokens, session: SessionRef) -> String {
        let bearer =
            Bearer { session, username: "Asha Rao", phone_number: Some("+919876543210"), role: Role::Customer };
        tokens.sign(&bearer, Timestamp::from_millis(0), Timestamp::from_millis(900_000)).expose()
    }

    #[test]
    fn names_its_session_until_it_expires() {
        let session = SessionRef { user: UserId::new(), session: SessionId::new() };
        let tokens = signer(NEW, None);
        let token = sign_for(&tokens, session);
        assert_eq!(tokens.check(&token, Timestamp::from_millis(899_999)), Ok(session));
        assert_eq!(tokens.check(&token, Timestamp::from_millis(900_000)), Err(InvalidAccessToken));
    }

    #[test]
    fn any_changed_character_is_refused() {
        let session = SessionRef { user: UserId::new(), session: SessionId::new() };
        let tokens = signer(NEW, None);
        let token = sign_for(&tokens, session);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(tokens.check(&changed, Timestamp::from_millis(0)).is_err(), "position {at}");
        }
    }

    #[test]
    fn the_previous_secret_is_accepted_and_no_other() {
        let session = SessionRef { user: UserId::new(), session: SessionId::new() };
        let token = sign_for(&signer(OLD, None), session);
        let now = Timestamp::from_millis(0);
        assert_eq!(signer(NEW, Some(OLD)).check(&token, now), Ok(session));
        assert_eq!(signer(NEW, None).check(&token, now), Err(InvalidAccessToken));
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJteXNwYXJlcy1hdXRoLXNlcnZpY2UifQ.";
        assert!(signer(NEW, None).check(none, Timestamp::from_millis(0)).is_err());
    }
}
