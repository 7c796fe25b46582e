//! Links to this server. Behind a proxy that serves the API below a path, such as `location /shop/` of nginx,
//! a link that begins with `/` would leave that path. No link names a host, so `Forwarded` and
//! `X-Forwarded-Host` cannot lead a client elsewhere; they only show that there is a proxy.

use actix_web::HttpRequest;
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderName};

/// Header of the path that a proxy has removed from the front of the request's path. Several headers, or
/// several paths in one, are those of several proxies, the outermost first.
static PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
/// Longest prefix, in bytes.
const PREFIX_MAX: usize = 256;
/// Headers of requests that came through a proxy.
static PROXIED: [HeaderName; 6] = [
    header::FORWARDED,
    header::VIA,
    header::X_FORWARDED_FOR,
    header::X_FORWARDED_HOST,
    header::X_FORWARDED_PROTO,
    HeaderName::from_static("x-real-ip"),
];

/// The value of `Location` for a path of the API without its first `/`: below the prefix if the proxy names
/// one, relative to the request's path behind any other proxy, and else from the root.
pub(super) fn location(request: &HttpRequest, path: &str) -> String {
    match prefix(request) {
        Some(prefix) => format!("{prefix}/{path}"),
        None if is_proxied(request) => relative(request.path(), path),
        None => format!("/{path}"),
    }
}

/// A link for browsers, which resolve every relative one.
pub(super) fn page(request: &HttpRequest, path: &str) -> String {
    match prefix(request) {
        Some(prefix) => format!("{prefix}/{path}"),
        None => relative(request.path(), path),
    }
}

/// The path relative to that of the request, whose own prefix is unknown (RFC 3986 §4.2).
fn relative(from: &str, path: &str) -> String {
    let up = from.matches('/').count().saturating_sub(1);
    "../".repeat(up) + path
}

/// Returns `true` if the request shows that it came through a proxy. nginx speaks HTTP/1.0 to the servers
/// behind it unless told otherwise.
fn is_proxied(request: &HttpRequest) -> bool {
    request.version() < Version::HTTP_11
        || PROXIED.iter().any(|header| request.headers().contains_key(header))
}

/// The prefix that the proxies name, if it is a plain path: the client may have sent the header itself.
fn prefix(request: &HttpRequest) -> Option<String> {
    let mut headers = request.headers().get_all(&PREFIX).peekable();
    headers.peek()?;
    let mut prefix = String::new();
    for header in headers {
        for part in header.to_str().ok()?.split(',') {
            let part = part.trim();
            prefix += part.strip_suffix('/').unwrap_or(part);
        }
    }
    is_plain(&prefix).then_some(prefix)
}

/// Returns `true` for `/a/b` and for nothing: no empty segment, which would begin a host's name, no dots,
/// no escapes.
fn is_plain(prefix: &str) -> bool {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    };
    let mut segments = prefix.split('/');
    prefix.len() <= PREFIX_MAX && segments.next() == Some("") && segments.all(is_segment)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn of(prefixes: &[&str]) -> Option<String> {
        let request = TestRequest::with_uri("/orders");
        let request = prefixes
            .iter()
            .fold(request, |request, prefix| request.append_header((PREFIX.clone(), *prefix)));
        prefix(&request.to_http_request())
    }

    #[test]
    fn a_prefix_is_a_plain_path_or_ignored() {
        for (sent, read) in [
            (&["/shop"][..], "/shop"),
            (&["/shop/"], "/shop"),
            (&["/a/b-c_d.e~f"], "/a/b-c_d.e~f"),
            (&["/a, /b/"], "/a/b"),
            (&["/a", "/b"], "/a/b"),
            (&["/"], ""),
        ] {
            assert_eq!(of(sent).as_deref(), Some(read), "{sent:?}");
        }
        for hostile in ["shop", "//evil", "/a//b", "/a/..", "/.", "/a b", "/a%2f", "/a\\b", "/a:b"]
        {
            assert_eq!(of(&[hostile]), None, "{hostile}");
        }
        assert_eq!((of(&["/a", "//b"]), of(&[])), (None, None));
        assert_eq!(of(&[&format!("/{}", "a".repeat(PREFIX_MAX))]), None);
    }

    #[test]
    fn a_relative_path_leads_from_the_request_to_the_object() {
        assert_eq!(relative("/", "swagger-ui/"), "swagger-ui/");
        assert_eq!(relative("/orders", "orders/1"), "orders/1");
        assert_eq!(relative("/orders/1/refunds", "orders/1/refunds/2"), "../../orders/1/refunds/2");
    }
}
