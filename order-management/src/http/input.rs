//! Bodies, headers and query parameters become the project's types, or a problem that lists every
//! invalid field.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::QueryPayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use domain::IdempotencyKey;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use service::{FieldError, Problem, ProblemType};

/// Largest body of a request, in bytes.
pub(super) const BODY_MAX: usize = 16 * 1024;
/// Header of the client's name for a request.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Timeout of a body's arrival.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const NOT_JSON: ProblemType =
    ProblemType { name: "not-json", title: "Invalid JSON", status: StatusCode::BAD_REQUEST };
const TIMEOUT: ProblemType =
    ProblemType { name: "timeout", title: "Request timeout", status: StatusCode::REQUEST_TIMEOUT };
const TOO_LARGE: ProblemType = ProblemType {
    name: "too-large",
    title: "Request body too large",
    status: StatusCode::PAYLOAD_TOO_LARGE,
};
const UNSUPPORTED_MEDIA_TYPE: ProblemType = ProblemType {
    name: "unsupported-media-type",
    title: "Unsupported media type",
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
};

/// A JSON body with the fields of `T`, up to [`BODY_MAX`].
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = check_media_type(request);
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            media_type?;
            match tokio::time::timeout(BODY_TIMEOUT, body).await {
                Ok(Ok(bytes)) => read(&bytes).map(JsonBody),
                Ok(Err(error)) => Err(refused(&error)),
                Err(_) => {
                    Err(Problem::new(&TIMEOUT, "The body did not arrive in time. Send it again."))
                }
            }
        })
    }
}

/// Refuses a body that is not JSON, or that is encoded: bodies are small, and an encoded one could have any
/// size once it is decoded.
fn check_media_type(request: &HttpRequest) -> Result<(), Problem> {
    if is_encoded(request) {
        let identity = HeaderValue::from_static("identity");
        let detail = "Send the body as it is, without compression and without `Content-Encoding`.";
        return Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE, detail)
            .with_header(header::ACCEPT_ENCODING, identity));
    }
    if !is_json(request) {
        let detail = "Send JSON with the header `Content-Type: application/json`.";
        return Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE, detail));
    }
    Ok(())
}

fn is_encoded(request: &HttpRequest) -> bool {
    let is_coding = |coding: &&str| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
    request.headers().get_all(header::CONTENT_ENCODING).any(|value| match value.to_str() {
        Ok(codings) => codings.split(',').map(str::trim).any(|coding| is_coding(&coding)),
        Err(_) => true,
    })
}

fn is_json(request: &HttpRequest) -> bool {
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn refused(error: &actix_web::Error) -> Problem {
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(&TOO_LARGE, format!("It may have {BODY_MAX} bytes."))
        }
        _ => Problem::new(&NOT_JSON, "The body did not arrive whole."),
    }
}

/// The byte order mark of UTF-8. JSON must not begin with one, and a reader may ignore it (RFC 8259 §8.1);
/// PowerShell and some editors write it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a JSON object. serde alone would accept an array of the values as well.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let read = serde_json::from_slice(bytes);
    match read {
        Ok(body) if is_object(bytes) => Ok(body),
        Err(error) if !is_json_text(bytes) => Err(Problem::new(&NOT_JSON, error.to_string())),
        Err(_) if is_object(bytes) => Err(wrong_field::<T>(bytes)),
        Ok(_) | Err(_) => Err(Problem::invalid_field("body", "must be an object")),
    }
}

/// Returns `true` for any JSON. serde reports a number beyond all its types as an error of syntax.
fn is_json_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Returns `true` if the JSON in `bytes` is an object.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// Reads again with the path, which names the field that has a wrong type or name.
fn wrong_field<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut json) else {
        return Problem::new(&NOT_JSON, "There is something behind the JSON.");
    };
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let path = error.path().to_string();
    // An unknown field is named in the message only, between backticks.
    let named = || message.split('`').nth(1).filter(|_| message.starts_with("unknown field"));
    let field = if path == "." { named().unwrap_or("body").to_owned() } else { path };
    Problem::invalid_field(&field, message)
}

/// The problem of a query that is not `T`.
pub(super) fn wrong_query(error: &QueryPayloadError) -> Problem {
    let text = error.to_string();
    Problem::invalid_field("query", text.trim_start_matches("Query deserialize error: "))
}

/// Deserializes an optional field that is present. Only a field that is left out has a default; serde alone
/// would read `null` as left out.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Collects the invalid fields of a request, so that one answer lists all of them.
#[derive(Debug, Default)]
pub(super) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// Parses a required text.
    pub(super) fn required<T: FromStr>(&mut self, field: &str, text: Option<&str>) -> Option<T>
    where
        T::Err: Display,
    {
        self.present(field, text).and_then(|text| self.parse(field, text))
    }

    /// Parses an optional text.
    pub(super) fn optional<T: FromStr>(&mut self, field: &str, text: Option<&str>) -> Option<T>
    where
        T::Err: Display,
    {
        text.and_then(|text| self.parse(field, text))
    }

    /// Reads the header `Idempotency-Key`.
    pub(super) fn idempotency_key(&mut self, request: &HttpRequest) -> Option<IdempotencyKey> {
        let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
        let value = values.next()?;
        if values.next().is_some() {
            self.wrong(IDEMPOTENCY_KEY, "must be given only once");
        }
        self.optional(IDEMPOTENCY_KEY, Some(value.to_str().unwrap_or_default()))
    }

    /// Requires a value.
    pub(super) fn present<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.wrong(field, "is required");
        }
        value
    }

    /// Notes the refusal of a value that was checked before.
    pub(super) fn checked<T>(
        &mut self,
        field: &str,
        value: Option<Result<T, impl Display>>,
    ) -> Option<T> {
        match value? {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.wrong(field, refusal);
                None
            }
        }
    }

    /// Notes an invalid field.
    pub(super) fn wrong(&mut self, field: &str, message: impl Display) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_string() });
    }

    /// Returns `value` if no field is invalid.
    ///
    /// # Errors
    /// A `422` with all invalid fields.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::invalid_fields(self.errors)),
        }
    }

    fn parse<T: FromStr>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T::Err: Display,
    {
        self.checked(field, Some(text.parse()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Sample {
        #[serde(default, deserialize_with = "given")]
        quantity: Option<i32>,
        #[serde(default, deserialize_with = "given")]
        product_id: Option<String>,
    }

    fn field_of(body: &str) -> String {
        match read::<Sample>(body.as_bytes()) {
            Err(problem) if !problem.errors().is_empty() => problem.errors()[0].field.clone(),
            other => panic!("{body} gave {other:?}"),
        }
    }

    #[test]
    fn a_field_of_the_wrong_type_or_name_is_named() {
        assert_eq!(field_of(r#"{"quantity":"1"}"#), "quantity");
        assert_eq!(field_of(r#"{"quantity":1.5}"#), "quantity");
        assert_eq!(field_of(r#"{"productId":1}"#), "productId");
        assert_eq!(field_of(r#"{"quantiy":1}"#), "quantiy");
        assert_eq!(field_of(r#"{"quantity":1e400}"#), "quantity");
        assert_eq!(field_of(r#"{"quantity":null}"#), "quantity");
        assert_eq!(field_of("\u{feff}{\"productId\":null}"), "productId");
        for body in ["[]", r#"[1,"1"]"#, "null", "1e400", "\"{}\""] {
            assert_eq!(field_of(body), "body", "{body}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_is_refused_as_such() {
        for body in ["", "{", "nonsense", "{} {}", "{\"quantity\":1,}", "{\"quantity\":01}"] {
            let read = read::<Sample>(body.as_bytes());
            assert!(
                matches!(&read, Err(problem) if *problem.kind() == NOT_JSON),
                "{body}: {read:?}"
            );
        }
    }
}
