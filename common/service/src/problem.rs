//! Problems (RFC 9457): the body of every error that a server of the project answers with. A program
//! adds its own types; this module has those of every program.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::current_request::request_id;

/// Media type of a problem (RFC 9457 §3).
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Value of `Retry-After`, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// A type of problem. Clients compare the type; name, title and status never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemType {
    /// The last part of the type `urn:ordermill:problem:…`.
    pub name: &'static str,
    /// The title.
    pub title: &'static str,
    /// The status of the answer.
    pub status: StatusCode,
}

/// The path or the object does not exist.
pub const NOT_FOUND: ProblemType =
    ProblemType { name: "not-found", title: "Not found", status: StatusCode::NOT_FOUND };
/// The path exists and does not accept the method; `Allow` lists the methods that it accepts.
pub const METHOD_NOT_ALLOWED: ProblemType = ProblemType {
    name: "method-not-allowed",
    title: "Method not allowed",
    status: StatusCode::METHOD_NOT_ALLOWED,
};
/// Fields, headers or query parameters are invalid; `errors` lists all of them.
pub const INVALID_FIELDS: ProblemType = ProblemType {
    name: "invalid-fields",
    title: "Invalid fields",
    status: StatusCode::UNPROCESSABLE_ENTITY,
};
/// A handler failed or panicked; the log has the cause.
pub const INTERNAL: ProblemType = ProblemType {
    name: "internal",
    title: "Internal server error",
    status: StatusCode::INTERNAL_SERVER_ERROR,
};
/// PostgreSQL gave no answer; the same request can succeed later.
pub const UNAVAILABLE: ProblemType = ProblemType {
    name: "unavailable",
    title: "The database is unavailable",
    status: StatusCode::SERVICE_UNAVAILABLE,
};

/// One invalid field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field, header or query parameter.
    #[schema(example = "quantity")]
    pub field: String,
    /// The rule that the field breaks.
    #[schema(example = "must be a whole number from 1 to 10000")]
    pub message: String,
}

/// The body of an error (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemBody {
    /// The type of the problem, stable over time.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:ordermill:problem:invalid-fields")]
    kind: String,
    /// The type of the problem in words.
    #[schema(value_type = String, example = "Invalid fields")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// The details of this occurrence.
    #[schema(value_type = String, example = "See `errors`.")]
    detail: Cow<'static, str>,
    /// The id of the request, as in `X-Request-ID` and in the log.
    #[schema(example = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5")]
    request_id: String,
    /// The invalid fields of a `422`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// An error as a client receives it. A `503` always carries `Retry-After`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: &'static ProblemType,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// An occurrence of `kind`. `detail` must not contain the text of a driver's error.
    pub fn new(kind: &'static ProblemType, detail: impl Into<Cow<'static, str>>) -> Problem {
        let problem =
            Problem { kind, detail: detail.into(), errors: Vec::new(), headers: Vec::new() };
        match kind.status {
            StatusCode::SERVICE_UNAVAILABLE => problem.with_retry_after(),
            _ => problem,
        }
    }

    /// A `404`.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem::new(&NOT_FOUND, detail)
    }

    /// A `405` with `Allow`.
    pub fn method_not_allowed(allowed: &[Method]) -> Problem {
        let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let allow = HeaderValue::from_str(&allowed).map(|value| (header::ALLOW, value));
        let mut problem = Problem::new(&METHOD_NOT_ALLOWED, format!("This path takes {allowed}."));
        problem.headers.extend(allow);
        problem
    }

    /// A `422` that lists invalid fields.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Problem {
        Problem { errors, ..Problem::new(&INVALID_FIELDS, "See `errors`.") }
    }

    /// A `422` with one invalid field.
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Problem {
        let error = FieldError { field: field.to_owned(), message: message.into() };
        Problem::invalid_fields(vec![error])
    }

    /// A `500`. The caller logs the cause.
    pub fn internal() -> Problem {
        Problem::new(&INTERNAL, "The server log has the cause under `requestId`.")
    }

    /// The same problem with `Retry-After`.
    #[must_use]
    pub fn with_retry_after(self) -> Problem {
        self.with_header(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// The same problem with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// The type.
    pub fn kind(&self) -> &'static ProblemType {
        self.kind
    }

    /// The invalid fields of a `422`.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The details of this occurrence.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.title, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status
    }

    fn error_response(&self) -> HttpResponse {
        let body = ProblemBody {
            kind: format!("urn:ordermill:problem:{}", self.kind.name),
            title: self.kind.title,
            status: self.kind.status.as_u16(),
            detail: self.detail.clone(),
            request_id: request_id().to_string(),
            errors: self.errors.clone(),
        };
        let mut answer = HttpResponse::build(self.kind.status);
        for header in self.headers.iter().cloned() {
            answer.insert_header(header);
        }
        answer.content_type(PROBLEM_JSON).body(serde_json::to_vec(&body).unwrap_or_default())
    }
}
