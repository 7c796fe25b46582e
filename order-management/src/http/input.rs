//! The door: bodies, headers and query parameters become our own types here, or a problem that
//! names every field that is wrong.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::{FieldError, Problem};

/// The largest body of a request, in bytes.
pub(crate) const BODY_MAX: usize = 16 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON body that has the fields of `T`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(Problem::NotJsonType);
            }
            match tokio::time::timeout(BODY_TIMEOUT, body).await {
                Ok(Ok(bytes)) => read(&bytes).map(JsonBody),
                Ok(Err(error)) => Err(refused(&error)),
                Err(_) => Err(Problem::Timeout),
            }
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn refused(error: &actix_web::Error) -> Problem {
    match error.as_response_error().status_code() {
        actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge(BODY_MAX),
        _ => Problem::NotJson("The body did not arrive whole.".to_owned()),
    }
}

/// The fields of a JSON object. serde would take an array as well, for a list of the values.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let read = serde_json::from_slice(bytes);
    match read {
        Ok(body) if is_object(bytes) => Ok(body),
        Err(error) if !is_json_text(bytes) => Err(Problem::NotJson(error.to_string())),
        Err(_) if is_object(bytes) => Err(wrong_field::<T>(bytes)),
        Ok(_) | Err(_) => Err(Problem::field("body", "must be an object")),
    }
}

/// Whether it is JSON at all, whatever it says: to serde a number that no type of its own can hold
/// is a fault of syntax.
fn is_json_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Whether the JSON in `bytes` is an object.
fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// Reads once more, minding the path, to say which field has the wrong type or name.
fn wrong_field<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut json) else {
        return Problem::NotJson("There is something behind the JSON.".to_owned());
    };
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let path = error.path().to_string();
    // An unknown field is named in the message only, between backticks.
    let named = || message.split('`').nth(1).filter(|_| message.starts_with("unknown field"));
    let field = if path == "." { named().unwrap_or("body").to_owned() } else { path };
    Problem::field(&field, message)
}

/// Collects what is wrong, so that all of it is said at once.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// A text that must be there and parse.
    pub(crate) fn required<T: FromStr>(&mut self, field: &str, text: Option<&str>) -> Option<T>
    where
        T::Err: Display,
    {
        self.present(field, text).and_then(|text| self.parse(field, text))
    }

    /// A text that must parse if it is there.
    pub(crate) fn optional<T: FromStr>(&mut self, field: &str, text: Option<&str>) -> Option<T>
    where
        T::Err: Display,
    {
        text.and_then(|text| self.parse(field, text))
    }

    /// A value that must be there.
    pub(crate) fn present<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.wrong(field, "is required");
        }
        value
    }

    /// A value that was checked already.
    pub(crate) fn checked<T>(
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

    /// Notes that a field is wrong.
    pub(crate) fn wrong(&mut self, field: &str, message: impl Display) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_string() });
    }

    /// `value`, if nothing was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::Fields(self.errors)),
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
        quantity: Option<i32>,
        product_id: Option<String>,
    }

    fn field_of(body: &str) -> String {
        match read::<Sample>(body.as_bytes()) {
            Err(Problem::Fields(errors)) => errors[0].field.clone(),
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
        for body in ["[]", r#"[1,"1"]"#, "null", "1e400", "\"{}\""] {
            assert_eq!(field_of(body), "body", "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_said_to_be_none() {
        for body in ["", "{", "nonsense", "{} {}", "{\"quantity\":1,}", "{\"quantity\":01}"] {
            let read = read::<Sample>(body.as_bytes());
            assert!(matches!(read, Err(Problem::NotJson(_))), "{body}: {read:?}");
        }
    }
}
