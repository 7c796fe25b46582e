//! Variables that a platform sets under names of ours.
//!
//! For a service `postgres` Kubernetes gives every container of the namespace
//! `POSTGRES_PORT=tcp://10.96.12.7:5432`, and `docker run --link db:postgres` does the same, with
//! `POSTGRES_NAME=/api/postgres` beside it. Such a value is the address of a service.

use std::collections::BTreeMap;

/// The address of a service as the platform knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    /// Host name or IP address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl ServiceAddress {
    /// Parses `tcp://10.96.12.7:5432`.
    fn parse(value: &str) -> Option<ServiceAddress> {
        const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
        let (protocol, address) = value.trim().split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if !PROTOCOLS.contains(&protocol) || host.is_empty() {
            return None;
        }
        Some(ServiceAddress { host: host.to_owned(), port: port.parse().ok()? })
    }
}

/// Takes the injected values out of `given`. Returns the addresses by the name of their variable.
pub(crate) fn take_injected(
    given: &mut BTreeMap<String, String>,
) -> BTreeMap<String, ServiceAddress> {
    let address = |name: &String, value: &String| {
        name.ends_with("_PORT").then(|| ServiceAddress::parse(value)).flatten()
    };
    let found: BTreeMap<String, ServiceAddress> = given
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), address(name, value)?)))
        .collect();
    for name in found.keys() {
        given.remove(name);
        let alias = name.trim_end_matches("_PORT");
        let linked = format!("{alias}_NAME");
        if given.get(&linked).is_some_and(|value| names_link(value, alias)) {
            given.remove(&linked);
        }
    }
    found
}

/// Returns true if `value` is `/container/alias`.
fn names_link(value: &str, alias: &str) -> bool {
    let parts: Vec<&str> = value.split('/').collect();
    let same = |last: &str| last.replace('-', "_").eq_ignore_ascii_case(alias);
    matches!(parts[..], ["", _, last] if same(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_variables_of_a_service_and_of_a_link_are_taken_out() {
        let mut variables = given(&[
            ("POSTGRES_PORT", "tcp://10.96.12.7:5432"),
            ("LOGS_POSTGRES_PORT", "tcp://[fd00::7]:6432"),
            ("EXCHANGE_PORT", "tcp://172.17.0.2:5672"),
            ("EXCHANGE_NAME", "/api/exchange"),
            ("INSTANCE_NAME", "/api/instance"),
            ("PORT", "3000"),
            ("OPS_PORT", "9100"),
        ]);
        let found = take_injected(&mut variables);
        let address = |name: &str| found.get(name).map(|a| (a.host.as_str(), a.port));
        assert_eq!(address("POSTGRES_PORT"), Some(("10.96.12.7", 5432)));
        assert_eq!(address("LOGS_POSTGRES_PORT"), Some(("fd00::7", 6432)));
        assert_eq!(address("OPS_PORT"), None);
        let left: Vec<&str> = variables.keys().map(String::as_str).collect();
        // No link called "instance" is there: the name is the operator's.
        assert_eq!(left, ["INSTANCE_NAME", "OPS_PORT", "PORT"]);
    }
}
