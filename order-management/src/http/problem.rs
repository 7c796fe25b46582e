//! The one place that turns errors into answers: RFC 9457 problem details, everywhere.

mod operators;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use db::orders::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use super::request::current_request_id;
use crate::orders::PlaceError;

/// When to come back after a 503, in seconds.
const RETRY_AFTER: &str = "1";
/// The media type of RFC 9457 §3.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// One field of the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field, header or query parameter.
    #[schema(example = "quantity")]
    pub(crate) field: String,
    /// What would be right.
    #[schema(example = "must be a whole number from 1 to 10000")]
    pub(crate) message: String,
}

/// What went wrong (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemBody {
    /// The kind of problem, stable over time.
    #[serde(rename = "type")]
    #[schema(example = "urn:ordermill:problem:invalid-fields")]
    kind: String,
    /// The kind of problem, for a person.
    #[schema(example = "Invalid fields")]
    title: String,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong this time.
    #[schema(example = "See `errors`.")]
    detail: String,
    /// The id of this request, as in `X-Request-ID` and in the log.
    #[schema(example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")]
    request_id: String,
    /// The fields that are wrong, for a 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// An answer that is not the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NotJson(String),
    NotFound(String),
    MethodNotAllowed(&'static str),
    Timeout,
    KeyInFlight,
    Archived,
    TooLarge(usize),
    NotJsonType,
    Fields(Vec<FieldError>),
    KeyUsed,
    Internal,
    Busy,
    Unavailable,
    DeadLettersLocked(String),
    BrokerUnavailable(String),
    ReplayNotConfirmed(String),
}

impl Problem {
    /// One wrong field.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Problem {
        Problem::Fields(vec![FieldError { field: field.to_owned(), message: message.into() }])
    }

    fn status(&self) -> StatusCode {
        match self {
            Problem::NotJson(_) => StatusCode::BAD_REQUEST,
            Problem::NotFound(_) => StatusCode::NOT_FOUND,
            Problem::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Problem::Timeout => StatusCode::REQUEST_TIMEOUT,
            Problem::KeyInFlight | Problem::Archived | Problem::DeadLettersLocked(_) => {
                StatusCode::CONFLICT
            }
            Problem::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::NotJsonType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Problem::Fields(_) | Problem::KeyUsed => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Problem::Busy
            | Problem::Unavailable
            | Problem::BrokerUnavailable(_)
            | Problem::ReplayNotConfirmed(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The last part of the type, the title, and the detail.
    fn words(&self) -> (&'static str, &'static str, String) {
        let fixed = |kind, title, detail: &str| (kind, title, detail.to_owned());
        match self {
            Problem::NotJson(why) => ("not-json", "Invalid JSON", why.clone()),
            Problem::NotFound(what) => ("not-found", "Not found", what.clone()),
            Problem::MethodNotAllowed(allowed) => {
                ("method-not-allowed", "Method not allowed", format!("This path takes {allowed}."))
            }
            Problem::Timeout => fixed(
                "timeout",
                "Request timeout",
                "The body did not arrive in time. Send it again.",
            ),
            Problem::KeyInFlight => fixed(
                "idempotency-key-in-use",
                "Idempotency-Key in use",
                "The first request with this key has no answer yet. Repeat this one in a moment.",
            ),
            Problem::Archived => {
                fixed("archived", "Archived", "An archived object cannot be changed.")
            }
            Problem::TooLarge(max) => {
                ("too-large", "Request body too large", format!("It may have {max} bytes."))
            }
            Problem::NotJsonType => fixed(
                "unsupported-media-type",
                "Unsupported media type",
                "Send JSON with the header `Content-Type: application/json`.",
            ),
            Problem::Fields(_) => fixed("invalid-fields", "Invalid fields", "See `errors`."),
            Problem::KeyUsed => fixed(
                "idempotency-key-reused",
                "Idempotency-Key reused",
                "This key was used for another order. Use a new key for a new order, or repeat the first \
                 body to get the first answer.",
            ),
            Problem::Internal => fixed(
                "internal",
                "Internal server error",
                "The server log has the cause under `requestId`.",
            ),
            Problem::Busy => fixed(
                "overloaded",
                "Too many orders are waiting",
                "Nothing was stored: send it again after the time in Retry-After.",
            ),
            Problem::Unavailable => fixed(
                "unavailable",
                "The database is unavailable",
                "Send it again after the time in Retry-After, with the same Idempotency-Key if it \
                 had one.",
            ),
            Problem::DeadLettersLocked(why) => {
                ("dead-letters-locked", "Dead letters are locked", why.clone())
            }
            Problem::BrokerUnavailable(why) => {
                ("broker-unavailable", "RabbitMQ is unavailable", why.clone())
            }
            Problem::ReplayNotConfirmed(why) => {
                ("replay-not-confirmed", "Replay not confirmed", why.clone())
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, title, detail) = self.words();
        write!(f, "{title}: {detail}")
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status();
        let (kind, title, detail) = self.words();
        let errors = if let Problem::Fields(errors) = self { errors.clone() } else { Vec::new() };
        let body = ProblemBody {
            kind: format!("urn:ordermill:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            request_id: current_request_id(),
            errors,
        };
        let mut answer = HttpResponse::build(status);
        if let Problem::MethodNotAllowed(allowed) = self {
            answer.insert_header((header::ALLOW, HeaderValue::from_static(allowed)));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || *self == Problem::KeyInFlight {
            answer.insert_header((header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER)));
        }
        let body = serde_json::to_vec(&body).unwrap_or_default();
        answer.content_type(PROBLEM_JSON).body(body)
    }
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Problem {
        match error {
            PlaceError::Refused(refusal) => refusal.into(),
            PlaceError::KeyInFlight => Problem::KeyInFlight,
            PlaceError::Full => Problem::Busy,
            PlaceError::Unavailable(why) => db::Error::Unavailable(why).into(),
            PlaceError::Broken(why) => db::Error::Refused(why).into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::UnknownCustomer => Problem::field(
                "customerId",
                "must be the id of a customer that exists and is not archived",
            ),
            Refusal::UnknownProduct => Problem::field(
                "productId",
                "must be the id of a product that exists and is not archived",
            ),
            Refusal::TotalTooLarge => {
                Problem::field("quantity", "must be smaller: the total would be over 100000000")
            }
            Refusal::KeyUsed => Problem::KeyUsed,
            Refusal::Contended => Problem::Unavailable,
        }
    }
}

impl From<db::Error> for Problem {
    /// The database's own words stay in the log.
    fn from(error: db::Error) -> Problem {
        let request_id = current_request_id();
        match error {
            db::Error::Unavailable(why) => {
                log::warn!(request_id; "answered 503: {why}");
                Problem::Unavailable
            }
            db::Error::Refused(why) => {
                log::error!(request_id; "answered 500: {why}");
                Problem::Internal
            }
        }
    }
}
