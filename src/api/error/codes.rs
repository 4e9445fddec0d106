//! The codes of errors, by which programs tell them apart.

use poem::http::StatusCode;
use poem_openapi::Enum;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident),+ $(,)?) => {
        /// A code that says what went wrong. Codes never change, and each code belongs to one HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
        #[oai(rename = "ErrorCode", rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $name),+ }

        impl ErrorCode {
            /// Returns the HTTP status of answers with this code.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    /// The body can't be read: it is not a JSON object or not a valid form, or it ends too early.
    InvalidBody = BAD_REQUEST,
    /// A field, parameter or header breaks a rule.
    InvalidInput = BAD_REQUEST,
    /// The current password, which must confirm the change, is wrong.
    WrongPassword = BAD_REQUEST,
    /// The sign-out brought neither an access token nor a refresh token.
    TokensRequired = BAD_REQUEST,
    /// The code is wrong, was used already, or has expired.
    InvalidOtp = BAD_REQUEST,
    /// No sign-up with this phone number waits for a code.
    NothingPending = BAD_REQUEST,
    /// The token that allows a new password was not issued by this shop, was used already, or has expired.
    InvalidResetToken = BAD_REQUEST,
    /// The request has no `Authorization` header.
    AuthorizationMissing = UNAUTHORIZED,
    /// The access token was not issued by this shop or has expired, or its session has ended.
    InvalidAccessToken = UNAUTHORIZED,
    /// There is no such account, or the password is wrong.
    InvalidCredentials = UNAUTHORIZED,
    /// The request has no refresh token.
    RefreshTokenRequired = UNAUTHORIZED,
    /// The refresh token was not issued by this shop, or has expired.
    InvalidRefreshToken = UNAUTHORIZED,
    /// The session of the refresh token has ended.
    RefreshTokenRevoked = UNAUTHORIZED,
    /// The account is disabled.
    AccountDisabled = FORBIDDEN,
    /// The user in the path is not the caller.
    UserMismatch = FORBIDDEN,
    /// The role of the caller does not allow the call.
    RoleRequired = FORBIDDEN,
    /// The link only works for a caller who is signed in to the account that asked for it.
    AccountRequired = FORBIDDEN,
    /// The sign-in is too old for this change. The caller must give the current password or sign in again.
    ReauthenticationRequired = FORBIDDEN,
    /// The call comes from a web page whose origin is not allowed.
    OriginNotAllowed = FORBIDDEN,
    /// There is nothing at this path.
    NotFound = NOT_FOUND,
    /// There is no such brand.
    BrandNotFound = NOT_FOUND,
    /// There is no such model.
    ModelNotFound = NOT_FOUND,
    /// There is no such category.
    CategoryNotFound = NOT_FOUND,
    /// There is no such product, or it is hidden.
    ProductNotFound = NOT_FOUND,
    /// The product has no such image.
    ImageNotFound = NOT_FOUND,
    /// The caller has no such session.
    SessionNotFound = NOT_FOUND,
    /// The product is not in the cart.
    CartItemNotFound = NOT_FOUND,
    /// There is no account with this id, username, e-mail address or phone number.
    UserNotFound = NOT_FOUND,
    /// There is no such open invitation.
    InvitationNotFound = NOT_FOUND,
    /// The link was not issued by this shop, was used already, or the account has changed since it was sent.
    LinkNotFound = NOT_FOUND,
    /// The link has expired.
    LinkExpired = GONE,
    /// The path does not accept this method. The header `Allow` lists the methods that it accepts.
    MethodNotAllowed = METHOD_NOT_ALLOWED,
    /// The request has more than 100 header lines.
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE,
    /// The body arrived too slowly.
    RequestTimeout = REQUEST_TIMEOUT,
    /// Another account has the phone number.
    PhoneNumberTaken = CONFLICT,
    /// Another account has the username.
    UsernameTaken = CONFLICT,
    /// Another account has the e-mail address.
    EmailTaken = CONFLICT,
    /// The e-mail address is proven already, and no invitation to it is open.
    EmailVerified = CONFLICT,
    /// Another entry of the catalogue has the code, or an entry with this code is still being deleted.
    CodeTaken = CONFLICT,
    /// The product has as many images as it may have.
    TooManyImages = CONFLICT,
    /// The product shows the image already.
    ImageRepeated = CONFLICT,
    /// A product needs an image, and this is its last one.
    LastImage = CONFLICT,
    /// The account of an admin can't be deleted.
    AdminAccount = CONFLICT,
    /// The change would leave the shop without an active admin.
    LastAdmin = CONFLICT,
    /// The product is out of stock.
    OutOfStock = CONFLICT,
    /// Fewer pieces of the product are in stock than the call needs.
    NotEnoughStock = CONFLICT,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused = CONFLICT,
    /// The first request with this `Idempotency-Key` has not ended.
    InProgress = CONFLICT,
    /// The cart would have more than 100 lines, or more than 999 pieces of one product.
    CartFull = CONFLICT,
    /// The entry has changed since the state that `If-Match` names.
    StateChanged = PRECONDITION_FAILED,
    /// The body is larger than this call accepts.
    BodyTooLarge = PAYLOAD_TOO_LARGE,
    /// The body has a content type or an encoding that this call does not accept.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE,
    /// The caller did this too often. The header `Retry-After` says after how many seconds it can be done again.
    TooManyRequests = TOO_MANY_REQUESTS,
    /// Too many wrong codes were tried. The caller can ask for a new code.
    OtpSpent = TOO_MANY_REQUESTS,
    /// The server failed because of an error of its own.
    Internal = INTERNAL_SERVER_ERROR,
    /// No call of the API accepts this method.
    MethodNotImplemented = NOT_IMPLEMENTED,
    /// The SMS service failed or can't be reached.
    SmsUnavailable = BAD_GATEWAY,
    /// The storage for images failed or can't be reached.
    ImageStoreUnavailable = BAD_GATEWAY,
    /// The database can't be reached.
    DatabaseUnavailable = SERVICE_UNAVAILABLE,
    /// There are more calls at the moment than the server can handle. The caller can try again soon.
    TooBusy = SERVICE_UNAVAILABLE,
    /// The server is stopping.
    Stopping = SERVICE_UNAVAILABLE,
    /// The disk has no room for more images.
    StorageFull = INSUFFICIENT_STORAGE,
}
