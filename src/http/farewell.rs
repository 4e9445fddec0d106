//! Operations that are going away: their description, and the headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594)
//! of their answers. Decision 44 tells when an operation may go.

use poem::{
    EndpointExt, Response,
    endpoint::BoxEndpoint,
    http::{HeaderName, HeaderValue},
};
use poem_openapi::{
    registry::{MetaHeader, MetaOperation},
    types::Type,
};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// The operations that are going away. Nothing is at the moment.
const FAREWELLS: &[Farewell] = &[];

/// An operation that is going away.
#[derive(Clone, Copy)]
pub struct Farewell {
    /// The `operationId`.
    operation: &'static str,
    /// Since when callers should use something else, as `@` and Unix seconds, such as `@1798761600`.
    deprecation: &'static str,
    /// The time after which it may be gone, as an HTTP date, such as `Thu, 01 Jul 2027 00:00:00 GMT`.
    sunset: &'static str,
}

impl Farewell {
    /// Returns the farewell of an operation, or `None` if the operation stays.
    pub fn of(operation: &MetaOperation) -> Option<Self> {
        FAREWELLS.iter().find(|farewell| operation.operation_id == Some(farewell.operation)).copied()
    }

    /// Marks the operation as deprecated and adds the headers to its good answers.
    pub fn describe(self, operation: &mut MetaOperation) {
        operation.deprecated = true;
        let good = operation.responses.responses.iter_mut().filter(|response| response.status < Some(400));
        for response in good {
            response.headers.push(header("Deprecation", "Since when callers should use something else (RFC 9745)."));
            response.headers.push(header("Sunset", "The time after which the operation may be gone (RFC 8594)."));
        }
    }

    /// Adds the headers to the good answers of the endpoint.
    pub fn announce(self, endpoint: BoxEndpoint<'static>) -> BoxEndpoint<'static> {
        endpoint
            .map(move |mut response: Response| async move {
                let headers = response.headers_mut();
                headers.insert(DEPRECATION, HeaderValue::from_static(self.deprecation));
                headers.insert(SUNSET, HeaderValue::from_static(self.sunset));
                response
            })
            .boxed()
    }
}

fn header(name: &str, what: &str) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(what.to_owned()),
        required: true,
        deprecated: false,
        schema: String::schema_ref(),
    }
}

#[cfg(test)]
mod tests {
    use poem::{Endpoint, Request, endpoint::make_sync};
    use poem_openapi::OpenApi;
    use time::{OffsetDateTime, format_description::well_known::Rfc2822};

    use super::*;

    const SAMPLE: Farewell =
        Farewell { operation: "login", deprecation: "@1798761600", sunset: "Thu, 01 Jul 2027 00:00:00 GMT" };

    fn operations<A: OpenApi>(_: A) -> Vec<MetaOperation> {
        A::meta().into_iter().flat_map(|api| api.paths).flat_map(|path| path.operations).collect()
    }

    #[tokio::test]
    async fn an_answer_tells_that_its_operation_is_going_away() {
        let endpoint = SAMPLE.announce(make_sync(|_| Response::builder().body("fine")).boxed());
        let response = endpoint.call(Request::default()).await.expect("an answer");
        assert_eq!(response.headers()["deprecation"], "@1798761600");
        assert_eq!(response.headers()["sunset"], "Thu, 01 Jul 2027 00:00:00 GMT");
    }

    #[test]
    fn the_description_tells_it_too() {
        let mut operations = operations(crate::api::ApiDescription);
        let login = operations.iter_mut().find(|operation| operation.operation_id == Some("login")).expect("login");
        SAMPLE.describe(login);
        assert!(login.deprecated);
        for response in &login.responses.responses {
            let told = response.headers.iter().any(|header| header.name == "Sunset");
            assert_eq!(told, response.status < Some(400), "{:?}", response.status);
        }
    }

    #[test]
    fn farewells_name_operations_and_last_half_a_year() {
        let operations = operations(crate::api::ApiDescription);
        for farewell in FAREWELLS.iter().chain([&SAMPLE]) {
            let is_known = operations.iter().any(|operation| operation.operation_id == Some(farewell.operation));
            assert!(is_known, "{}", farewell.operation);
            let since = farewell.deprecation.strip_prefix('@').and_then(|text| text.parse().ok()).expect("@seconds");
            let since = OffsetDateTime::from_unix_timestamp(since).expect("a time");
            let until = OffsetDateTime::parse(farewell.sunset, &Rfc2822).expect("an HTTP date");
            assert!(until - since >= time::Duration::days(180), "{}", farewell.operation);
        }
    }
}
