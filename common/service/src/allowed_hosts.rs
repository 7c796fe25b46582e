//! The names under which an ops port answers.
//!
//! A page of any site can send requests to an address of its visitor's network, under a name of its
//! own that resolves to that address (DNS rebinding), and read the answers. The `Host` of such a
//! request is that name, which no operator uses.

use std::net::IpAddr;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::problem::{Problem, ProblemType};

/// The `Host` of the request is not one of this port's.
const HOST_NOT_ALLOWED: ProblemType = ProblemType {
    name: "host-not-allowed",
    title: "Host not allowed",
    status: StatusCode::MISDIRECTED_REQUEST,
};

/// Host names, beside `localhost` and IP addresses, which are always allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    names: Vec<String>,
}

impl AllowedHosts {
    /// Parses names separated by commas; `*` allows every name.
    ///
    /// # Errors
    /// The form of a valid value.
    pub(crate) fn parse(text: &str) -> Result<AllowedHosts, String> {
        let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        let is_name = |name: &String| {
            name == "*" || name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        match names.iter().all(is_name) {
            true => Ok(AllowedHosts { names }),
            false => Err("host names without ports, separated by commas".to_owned()),
        }
    }

    /// Returns true if `authority`, a host with or without a port, is allowed.
    fn allows(&self, authority: &str) -> bool {
        let host = without_port(authority);
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if address.unwrap_or(host).parse::<IpAddr>().is_ok() {
            return true;
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        host == "localhost" || self.names.iter().any(|name| *name == host || name == "*")
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Middleware: refuses a request whose host is not among the [`AllowedHosts`] in the app's data. A
/// request without a host is not from a browser.
///
/// # Errors
/// The refusal, a `421`.
pub(crate) async fn check_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let hosts = request.app_data::<Data<AllowedHosts>>();
    let target = request.uri().authority().map(|authority| authority.as_str());
    let header = request.headers().get(header::HOST);
    let header = header.map(|value| value.to_str().unwrap_or("?"));
    let refused = [target, header].into_iter().flatten().find(|host| {
        let allowed = hosts.is_some_and(|hosts| hosts.allows(host));
        !host.is_empty() && !allowed
    });
    if refused.is_some() {
        let detail = "Ask under localhost, an IP address, or a name that OPS_ALLOWED_HOSTS lists.";
        return Err(Problem::new(&HOST_NOT_ALLOWED, detail).into());
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_listed_names_are_allowed() {
        let hosts = AllowedHosts::parse("auditor, Ops.Example.com").unwrap();
        for host in [
            "localhost",
            "LOCALHOST:9100",
            "127.0.0.1:9100",
            "10.1.2.3",
            "[::1]:9100",
            "[2001:db8::1]",
            "auditor:9102",
            "ops.example.com.:80",
        ] {
            assert!(hosts.allows(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:9100", "127.0.0.1.nip.io", "?", "auditor.x"]
        {
            assert!(!hosts.allows(host), "{host}");
        }
        assert!(AllowedHosts::parse("*").unwrap().allows("any.example"));
        assert!(AllowedHosts::parse("http://auditor").is_err());
    }
}
