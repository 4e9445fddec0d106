//! The codes of errors, which programs go by.

use poem::http::StatusCode;
use poem_openapi::Enum;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident),+ $(,)?) => {
        /// What went wrong, in a word that never changes; each belongs to one status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[oai(rename = "ErrorCode", rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $name),+ }

        impl ErrorCode {
            /// The status that the code is answered with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    /// The body is no JSON object.
    InvalidBody = BAD_REQUEST,
    /// A field, parameter or header breaks a rule.
    InvalidInput = BAD_REQUEST,
    /// The password that should confirm a change is not the account's.
    WrongPassword = BAD_REQUEST,
    /// Logout was called with nothing to end.
    TokensRequired = BAD_REQUEST,
    /// The code is wrong, used, or past its time.
    InvalidOtp = BAD_REQUEST,
    /// No account waits for a code at this number.
    NothingPending = BAD_REQUEST,
    /// The token that allows a new password is not ours, was used, or is past its time.
    InvalidResetToken = BAD_REQUEST,
    /// There is no `Authorization` header.
    AuthorizationMissing = UNAUTHORIZED,
    /// The access token is not ours, past its time, or its session has ended.
    InvalidAccessToken = UNAUTHORIZED,
    /// No such account, or not its password.
    InvalidCredentials = UNAUTHORIZED,
    /// There is no refresh token.
    RefreshTokenRequired = UNAUTHORIZED,
    /// The refresh token is not ours, or past its time.
    InvalidRefreshToken = UNAUTHORIZED,
    /// The refresh token's session has ended.
    RefreshTokenRevoked = UNAUTHORIZED,
    /// The account may not be used.
    AccountDisabled = FORBIDDEN,
    /// The path names another user.
    UserMismatch = FORBIDDEN,
    /// The caller's role doesn't allow it.
    RoleRequired = FORBIDDEN,
    /// The link must be opened by somebody who is signed in to the account that asked for it.
    AccountRequired = FORBIDDEN,
    /// The sign-in is too old for this change; the password must be given.
    ReauthenticationRequired = FORBIDDEN,
    /// A page of this origin may not use the refresh cookie.
    OriginNotAllowed = FORBIDDEN,
    /// There is nothing at this path.
    NotFound = NOT_FOUND,
    /// No such brand.
    BrandNotFound = NOT_FOUND,
    /// No such model.
    ModelNotFound = NOT_FOUND,
    /// No such category.
    CategoryNotFound = NOT_FOUND,
    /// No such product.
    ProductNotFound = NOT_FOUND,
    /// No such session of one's own.
    SessionNotFound = NOT_FOUND,
    /// No such cart line.
    CartItemNotFound = NOT_FOUND,
    /// Nobody has this name, address or number.
    UserNotFound = NOT_FOUND,
    /// No such open invitation.
    InvitationNotFound = NOT_FOUND,
    /// The link is none of ours, or was used already.
    LinkNotFound = NOT_FOUND,
    /// The link is past its time.
    LinkExpired = GONE,
    /// The path doesn't take this method; `Allow` says which it takes.
    MethodNotAllowed = METHOD_NOT_ALLOWED,
    /// The head of the request has too many lines.
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE,
    /// The body came too slowly.
    RequestTimeout = REQUEST_TIMEOUT,
    /// Another account has the number.
    PhoneNumberTaken = CONFLICT,
    /// Another account has the name.
    UsernameTaken = CONFLICT,
    /// Another account has the address.
    EmailTaken = CONFLICT,
    /// The address is proven already, and nobody invites it.
    EmailVerified = CONFLICT,
    /// The catalogue has the code already.
    CodeTaken = CONFLICT,
    /// The account runs the shop.
    AdminAccount = CONFLICT,
    /// Nobody would be left to run the accounts.
    LastAdmin = CONFLICT,
    /// Nothing is left of the product.
    OutOfStock = CONFLICT,
    /// Less is left of the product than asked for.
    NotEnoughStock = CONFLICT,
    /// The cart has no room for it.
    CartFull = CONFLICT,
    /// The document is in another state than the caller knows.
    StateChanged = PRECONDITION_FAILED,
    /// The body is larger than this call takes.
    BodyTooLarge = PAYLOAD_TOO_LARGE,
    /// The body is not of a type that this call takes.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE,
    /// It was done too often; `Retry-After` says when it can be done again.
    TooManyRequests = TOO_MANY_REQUESTS,
    /// The code was tried too often; a new one can be asked for.
    OtpSpent = TOO_MANY_REQUESTS,
    /// Our own fault.
    Internal = INTERNAL_SERVER_ERROR,
    /// No call anywhere takes this method.
    MethodNotImplemented = NOT_IMPLEMENTED,
    /// The SMS service failed.
    SmsUnavailable = BAD_GATEWAY,
    /// The place where images are kept failed.
    ImageStoreUnavailable = BAD_GATEWAY,
    /// The database can't be reached.
    DatabaseUnavailable = SERVICE_UNAVAILABLE,
    /// More is asked for at once than can be handled.
    TooBusy = SERVICE_UNAVAILABLE,
    /// The server is about to end.
    Stopping = SERVICE_UNAVAILABLE,
    /// The disk has no room for more files.
    StorageFull = INSUFFICIENT_STORAGE,
}
