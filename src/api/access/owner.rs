//! The owner of the user id in a path, and what only the owner is told.

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaRequest, MetaSchemaRef, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;

use super::{BEARER_SCHEME, app, bearer::session, register_schemes};
use crate::{
    accounts::{sessions::is_alive, tokens::access::InvalidAccessToken},
    api::{
        body::Body,
        error::{ApiError, ErrorCode},
    },
    app::App,
    values::ids::{SessionRef, UserId},
};

/// The session of the user whom the path parameter `user_id` names. Only the token was checked: the query that follows
/// must sign the caller in, which saves a round trip.
///
/// It is the security scheme and the path parameter of its operation in one. The macro of poem-openapi numbers the
/// parameters of a path, and counts only arguments whose type is called `Path`; hence the name.
pub struct Path(pub SessionRef);

impl Path {
    /// Returns what the caller asks for.
    ///
    /// # Errors
    ///
    /// A fault in it is told only to a caller whose session is alive; any other caller is told that the token is
    /// invalid. Without a fault nothing is looked up, because the update that follows signs the caller in.
    pub async fn signed_in_first<T, E>(&self, app: &App, asked: Result<T, E>) -> Result<T, ApiError>
    where
        ApiError: From<E>,
    {
        match asked {
            Err(_) if !is_alive(app, self.0).await? => Err(InvalidAccessToken.into()),
            asked => Ok(asked?),
        }
    }

    fn of(request: &Request, parameter: &str) -> Result<Self, ApiError> {
        let session = session(request)?;
        let named = request.raw_path_param(parameter).and_then(|id| id.parse::<UserId>().ok());
        if named != Some(session.user) {
            return Err(ApiError::new(ErrorCode::UserMismatch, "forbidden: user mismatch"));
        }
        Ok(Self(session))
    }
}

impl<'a> ApiExtractor<'a> for Path {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme, ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;
    type ParamType = String;
    type ParamRawType = String;

    fn register(registry: &mut Registry) {
        register_schemes(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER_SCHEME]
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(String::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        Ok(Self::of(request, options.name)?)
    }
}

/// A [`Body`] whose faults are told only to a caller whose session is alive, see [`Path::signed_in_first`].
pub struct OwnerBody<T>(pub T);

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for OwnerBody<T> {
    const TYPES: &'static [ApiExtractorType] = <Body<T> as ApiExtractor<'a>>::TYPES;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Body<T> as ApiExtractor<'a>>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        <Body<T> as ApiExtractor<'a>>::request_meta()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let fault = match Body::from_request(request, body, options).await {
            Ok(Body(value)) => return Ok(Self(value)),
            Err(error) => error.downcast::<ApiError>()?,
        };
        let owner = Path(session(request)?);
        Ok(Self(owner.signed_in_first(app(request)?, Err(fault)).await?))
    }
}
