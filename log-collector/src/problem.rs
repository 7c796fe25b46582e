//! Answers that are not the one that was asked for: RFC 9457 problem details.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// When to come back after a 503, in seconds.
const RETRY_AFTER: &str = "1";

/// One parameter that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    /// What would be right.
    pub(crate) message: String,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Fields(Vec<FieldError>),
    Unavailable,
    Internal,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// What stands behind the `?` is no list of parameters.
    pub(crate) fn unreadable_query() -> Problem {
        let message = "must be parameters in UTF-8, such as level=warn&limit=10".to_owned();
        Problem::Fields(vec![FieldError { field: "query".to_owned(), message }])
    }

    /// Type, title and detail.
    fn words(&self) -> [&'static str; 3] {
        match self {
            Problem::Fields(_) => {
                ["urn:ordermill:problem:invalid-fields", "Invalid fields", "See `errors`."]
            }
            Problem::Unavailable => [
                "urn:ordermill:problem:unavailable",
                "The store does not answer at the moment",
                "Ask again after the time in Retry-After, or ask for less with `since`.",
            ],
            Problem::Internal => [
                "urn:ordermill:problem:internal",
                "Internal server error",
                "The server log has the cause.",
            ],
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, title, _] = self.words();
        f.write_str(title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Problem::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Problem::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let [kind, title, detail] = self.words();
        let errors = if let Problem::Fields(errors) = self { errors.as_slice() } else { &[] };
        let body = Body { kind, title, status: status.as_u16(), detail, errors };
        let mut answer = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
        }
        let body = serde_json::to_vec(&body).unwrap_or_default();
        answer.content_type("application/problem+json").body(body)
    }
}

impl From<db::Error> for Problem {
    /// The database's own words stay in the log.
    fn from(error: db::Error) -> Problem {
        match error {
            db::Error::Unavailable(why) => {
                log::warn!("answered 503: {why}");
                Problem::Unavailable
            }
            db::Error::Refused(why) => {
                log::error!("answered 500: {why}");
                Problem::Internal
            }
        }
    }
}
