//! The client of servers on this machine.

/// A client that uses no proxy. In many companies `http_proxy` is set for every program, and the proxy
/// of the company does not know the ports of this machine.
pub(crate) fn local() -> reqwest::Client {
    // Without TLS and proxies nothing is left that could fail.
    reqwest::Client::builder().no_proxy().build().unwrap_or_default()
}
