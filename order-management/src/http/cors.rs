//! Cross-origin requests: the pages of which origins may call the API from a browser (the CORS protocol of
//! the Fetch standard).

use actix_cors::Cors;
use actix_web::middleware::Condition;

/// Time for which a browser keeps the answer to its preflight request, in seconds; no browser keeps it
/// longer.
const PREFLIGHT_MAX_AGE: usize = 7200;
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PATCH", "DELETE"];
/// Request headers that a page may send, beside those that every page may.
const REQUEST_HEADERS: [&str; 9] = [
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "X-Request-ID",
    "traceparent",
];
/// Response headers that a page may read, beside those that every page may.
const ANSWER_HEADERS: [&str; 8] = [
    "Accept-Encoding",
    "Allow",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Request-ID",
];

/// The origins whose pages may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CorsOrigins {
    /// None: answers have no CORS header.
    None,
    /// Every origin.
    Any,
    /// These origins.
    Only(Vec<String>),
}

impl CorsOrigins {
    /// Reads `*`, or origins separated by commas.
    ///
    /// # Errors
    /// The values that are right.
    pub(crate) fn parse(text: &str) -> Result<CorsOrigins, String> {
        if text == "*" {
            return Ok(CorsOrigins::Any);
        }
        let origins: Option<Vec<String>> = text.split(',').map(origin).collect();
        origins.map(CorsOrigins::Only).ok_or_else(|| {
            "`*`, or origins such as https://shop.example or http://localhost:8080, separated by commas"
                .to_owned()
        })
    }
}

/// An origin as browsers spell it: scheme and host in lower case, no path.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('/').unwrap_or(&text);
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    (!host.is_empty() && host.bytes().all(is_host)).then(|| text.to_owned())
}

/// The middleware that answers preflight requests and adds the CORS headers.
pub(crate) fn cors(origins: &CorsOrigins) -> Condition<Cors> {
    let cors = Cors::default()
        .allowed_methods(METHODS)
        .allowed_headers(REQUEST_HEADERS)
        .expose_headers(ANSWER_HEADERS)
        .max_age(PREFLIGHT_MAX_AGE)
        .block_on_origin_mismatch(false);
    match origins {
        CorsOrigins::None => Condition::new(false, cors),
        CorsOrigins::Any => Condition::new(true, cors.allow_any_origin().send_wildcard()),
        CorsOrigins::Only(origins) => {
            let allow = |cors: Cors, origin: &String| cors.allowed_origin(origin);
            Condition::new(true, origins.iter().fold(cors, allow))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_spell_them() {
        assert_eq!(CorsOrigins::parse("*"), Ok(CorsOrigins::Any));
        let two = CorsOrigins::parse("https://Shop.example/, http://[::1]:8080").unwrap();
        let named = ["https://shop.example", "http://[::1]:8080"].map(str::to_owned).to_vec();
        assert_eq!(two, CorsOrigins::Only(named));
        for wrong in [
            "shop.example",
            "https://",
            "https://a/b",
            "https://a,",
            "null",
            "*,https://a",
            "ftp://a",
        ] {
            assert!(CorsOrigins::parse(wrong).is_err(), "{wrong}");
        }
    }
}
