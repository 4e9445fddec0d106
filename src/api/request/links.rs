//! `/api/request/`: proofs of e-mail addresses and password resets by links in mails.

use std::sync::Arc;

use poem_openapi::{OpenApi, param::Path, payload::Json};

use super::bodies::{
    ActivatedOut, ActivationOut, ForgottenOut, IdentifierIn, LinkOut, MailedOut, ResetByLinkIn, StaffIn,
};
use crate::{
    accounts::{
        email_proof::{self, ActivateError, ProofRequest, RequestError},
        hashing::HashError,
        links::LinkError,
        reset_by_link::{self, LinkRequestError, ResetError},
        sign_in::ReauthenticationError,
    },
    api::{
        Group,
        access::{AnyOrigin, Customer, MaybeCustomer, TrustedOrigin},
        body::Body,
        error::{ApiError, ApiResult, refusals},
        fields::{optional_password, required, required_password},
        message::MessageOut,
    },
    app::App,
    db::StoreError,
    limits::LimitError,
    values::invalid::InvalidField,
};

/// Handlers of the calls about links in mails.
pub struct LinksApi(pub Arc<App>);

#[OpenApi(prefix_path = "/api/request", tag = "Group::Request")]
impl LinksApi {
    /// Sends a link that proves an e-mail address
    ///
    /// A person who was invited becomes staff by opening the link while signed in. An address other than the account's
    /// needs `current_password` or a sign-in less than 10 minutes old.
    #[oai(path = "/request-staff", method = "post", operation_id = "requestStaff")]
    async fn request_staff(
        &self,
        caller: Customer,
        origin: AnyOrigin,
        body: Body<StaffIn>,
    ) -> ApiResult<Json<MailedOut>, RequestError> {
        let wanted = ProofRequest {
            email: body.0.email.map(|line| line.0),
            current_password: optional_password(body.0.current_password),
        };
        let email = email_proof::request(&self.0, &caller.account, caller.session, wanted, &origin.0).await?;
        Ok(Json(MailedOut::new("a verification link was sent", Some(&email))))
    }

    /// Checks a link that proves an e-mail address
    ///
    /// The link stays valid.
    #[oai(path = "/activate-staff/:uid/:token", method = "get", operation_id = "checkActivation")]
    async fn check_activation(
        &self,
        uid: Path<String>,
        token: Path<String>,
    ) -> ApiResult<Json<ActivationOut>, LinkError> {
        let (link, account_required) = email_proof::check(&self.0, &uid, &token).await?;
        Ok(Json(ActivationOut::new(&link, account_required)))
    }

    /// Proves an e-mail address with its link
    ///
    /// With an access token of the account that asked for the link, an open invitation to the address also makes the
    /// account staff. Without an access token the link only works while the account has no proven number or address,
    /// and only for the account's own address; it then ends all sessions of the account.
    #[oai(path = "/activate-staff/:uid/:token", method = "post", operation_id = "activateStaff")]
    async fn activate_staff(
        &self,
        caller: MaybeCustomer,
        _origin: TrustedOrigin,
        uid: Path<String>,
        token: Path<String>,
    ) -> ApiResult<Json<ActivatedOut>, ActivateError> {
        let bearer = caller.0.map(|customer| customer.account.id);
        let account = email_proof::activate(&self.0, &uid, &token, bearer).await?;
        Ok(Json(ActivatedOut::new(&account)))
    }

    /// Finds the account whose password was forgotten
    #[oai(path = "/forgot/check", method = "post", operation_id = "checkForgotten")]
    async fn forgot_check(
        &self,
        origin: TrustedOrigin,
        body: Body<IdentifierIn>,
    ) -> ApiResult<Json<ForgottenOut>, LinkRequestError> {
        let identifier = required("identifier", body.0.given())?;
        let found = reset_by_link::find(&self.0, &identifier, &origin.0).await?;
        Ok(Json(ForgottenOut::new(found, self.0.clock.now())))
    }

    /// Sends a link to set a new password
    ///
    /// Not every address may receive a link. The answer does not say whether a mail was sent.
    #[oai(path = "/forgot/confirm", method = "post", operation_id = "confirmForgotten")]
    async fn forgot_confirm(
        &self,
        origin: TrustedOrigin,
        body: Body<IdentifierIn>,
    ) -> ApiResult<Json<MailedOut>, LinkRequestError> {
        let identifier = required("identifier", body.0.given())?;
        let email = reset_by_link::send_link(&self.0, &identifier, &origin.0).await?;
        Ok(Json(MailedOut::new("if a link may go to this address, it was sent", email.as_ref())))
    }

    /// Checks a link to set a new password
    ///
    /// The link stays valid.
    #[oai(path = "/reset/check/:uid/:token", method = "get", operation_id = "checkReset")]
    async fn reset_check(&self, uid: Path<String>, token: Path<String>) -> ApiResult<Json<LinkOut>, LinkError> {
        let expires_at = reset_by_link::check(&self.0, &uid, &token).await?;
        Ok(Json(LinkOut { valid: true, expires_at }))
    }

    /// Sets a new password with a link
    ///
    /// Ends every session of the account. All other links and codes of the account become invalid.
    #[oai(path = "/reset", method = "post", operation_id = "resetPassword")]
    async fn reset(&self, origin: TrustedOrigin, body: Body<ResetByLinkIn>) -> ApiResult<Json<MessageOut>, ResetError> {
        let uid = body.0.uid.ok_or_else(|| ApiError::from(InvalidField::required("uid")))?.0;
        let token = body.0.token.ok_or_else(|| ApiError::from(InvalidField::required("token")))?.0;
        let new = required_password("new_password", body.0.new_password.or(body.0.password))?;
        reset_by_link::reset(&self.0, &uid, &token, new, &origin.0).await?;
        Ok(Json(MessageOut::new("password has been reset successfully")))
    }
}

refusals! {
    LinkError {
        codes { NotFound => LinkNotFound, Expired => LinkExpired }
        causes { Store: StoreError }
    }
    RequestError {
        codes { AlreadyVerified => EmailVerified }
        causes { Invalid: InvalidField, Reauthentication: ReauthenticationError, Limited: LimitError, Store: StoreError }
    }
    ActivateError {
        codes { Taken => EmailTaken ["email"], AccountRequired => AccountRequired }
        causes { Link: LinkError, Store: StoreError }
    }
    LinkRequestError {
        codes { UserNotFound => UserNotFound }
        causes { Limited: LimitError, Store: StoreError }
    }
    ResetError {
        causes { Invalid: InvalidField, Link: LinkError, Limited: LimitError, Hashing: HashError, Store: StoreError }
    }
}
