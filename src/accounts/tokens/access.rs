//! Access tokens: JWTs (RFC 7519) that name a session and expire after some minutes.

use std::{fmt, sync::Once};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

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
struct CheckedClaims {
    sub: UserId,
    sid: SessionId,
    exp: i64,
    token_type: String,
}

/// Signs and checks access tokens.
pub struct AccessTokens {
    signing: EncodingKey,
    accepted: Vec<DecodingKey>,
    validation: Validation,
}

impl AccessTokens {
    /// Makes a signer that signs with the first key and accepts tokens of all keys. Panics if `keys` is empty.
    pub fn new(keys: &[MacKey]) -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            hs256::PROVIDER.install_default().expect("nothing else in this process installs a JWT provider");
        });
        let accepted = keys.iter().map(|key| DecodingKey::from_secret(key.bytes())).collect();
        Self { signing: EncodingKey::from_secret(keys[0].bytes()), accepted, validation: validation() }
    }

    /// Signs a token for `bearer` that expires at `expires`.
    pub fn sign(&self, bearer: &Bearer<'_>, now: Timestamp, expires: Timestamp) -> AccessToken {
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
            exp: expires.seconds(),
            token_type: TOKEN_TYPE,
        };
        let token = jsonwebtoken::encode(&Header::default(), &claims, &self.signing);
        AccessToken(token.expect("the claims are plain text and numbers"))
    }

    /// Returns the role that the account had when the token was signed. Use this only while the database can't be asked
    /// for the current role.
    pub fn signed_role(&self, token: &str, now: Timestamp) -> Result<Role, InvalidAccessToken> {
        #[derive(Deserialize)]
        struct Signed {
            role: Role,
        }
        self.check(token, now)?;
        Ok(self.claims::<Signed>(token)?.role)
    }

    /// Checks a token and returns the session that it names. Only the database knows whether that session is still
    /// alive.
    pub fn check(&self, token: &str, now: Timestamp) -> Result<SessionRef, InvalidAccessToken> {
        let claims: CheckedClaims = self.claims(token)?;
        if claims.token_type != TOKEN_TYPE || claims.exp <= now.seconds() {
            return Err(InvalidAccessToken);
        }
        Ok(SessionRef { user: claims.sub, session: claims.sid })
    }

    /// Returns the claims of a token, if one of the keys has signed it.
    fn claims<T: DeserializeOwned>(&self, token: &str) -> Result<T, InvalidAccessToken> {
        let decoded = |key| jsonwebtoken::decode(token, key, &self.validation).ok();
        self.accepted.iter().find_map(decoded).map(|token| token.claims).ok_or(InvalidAccessToken)
    }
}

/// Returns the rules for the header and the claims. Only HS256 is accepted, so a caller can't choose the algorithm (RFC
/// 8725, section 3.1). The expiry is checked by [`AccessTokens::check`] instead, with the clock of the shop and without
/// leeway.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["iss"]);
    validation.validate_exp = false;
    validation
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

    fn tokens(secret: &[u8], previous: Option<&[u8]>) -> AccessTokens {
        AccessTokens::new(&Keys::derive(secret, previous).access)
    }

    fn signed(by: &AccessTokens, session: SessionRef) -> String {
        let bearer =
            Bearer { session, username: "Asha Rao", phone_number: Some("+919876543210"), role: Role::Customer };
        by.sign(&bearer, Timestamp::from_millis(0), Timestamp::from_millis(900_000)).expose()
    }

    #[test]
    fn names_its_session_until_it_expires() {
        let session = SessionRef { user: UserId::new(), session: SessionId::new() };
        let tokens = tokens(NEW, None);
        let token = signed(&tokens, session);
        assert_eq!(tokens.check(&token, Timestamp::from_millis(899_999)), Ok(session));
        assert_eq!(tokens.check(&token, Timestamp::from_millis(900_000)), Err(InvalidAccessToken));
    }

    #[test]
    fn any_changed_character_is_refused() {
        let session = SessionRef { user: UserId::new(), session: SessionId::new() };
        let tokens = tokens(NEW, None);
        let token = signed(&tokens, session);
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
        let token = signed(&tokens(OLD, None), session);
        let now = Timestamp::from_millis(0);
        assert_eq!(tokens(NEW, Some(OLD)).check(&token, now), Ok(session));
        assert_eq!(tokens(NEW, None).check(&token, now), Err(InvalidAccessToken));
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJteXNwYXJlcy1hdXRoLXNlcnZpY2UifQ.";
        assert!(tokens(NEW, None).check(none, Timestamp::from_millis(0)).is_err());
    }
}
