//! Listening sockets, and the bounds that their connections inherit.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

/// Connections that wait to be accepted. The system may allow fewer (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;
/// Time after which a client that neither reads nor answers is disconnected. The kernel probes at
/// growing intervals, so the connection ends within half as long again.
const CLIENT_SILENCE: Duration = Duration::from_secs(20);
/// Interval between two keepalive probes to a silent client.
const CLIENT_PROBE: Duration = Duration::from_secs(10);
/// Bytes of an answer that the kernel keeps for a client, which it doubles for its own use. Without
/// this bound it keeps up to 4 MiB, which counts as memory of the container.
const SEND_BUFFER: usize = 64 * 1024;

/// Listens on `address` before anything is started that would have to be stopped again. `setting`
/// names the port in the error.
///
/// The address `::` accepts connections over IPv4 as well; on a system without IPv6 it is `0.0.0.0`.
///
/// # Errors
/// With the setting's name, if the port is not available.
pub(crate) fn listen(setting: &str, address: SocketAddr) -> io::Result<TcpListener> {
    let any_v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
    let listener = match bind(address) {
        Err(error) if address.ip().is_unspecified() && lacks_ipv6(&error) => bind(any_v4),
        bound => bound,
    };
    listener.map_err(|error| {
        io::Error::new(error.kind(), format!("{setting}: cannot listen on {address}: {error}"))
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // The system's default (net.ipv6.bindv6only) does not decide.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    bound_clients(&socket);
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Returns true for the errors of a kernel without IPv6 (`ipv6.disable=1`), or of a network
/// namespace without it.
fn lacks_ipv6(error: &io::Error) -> bool {
    const EAFNOSUPPORT: [i32; 2] = [97, 47];
    error.kind() == ErrorKind::AddrNotAvailable
        || error.raw_os_error().is_some_and(|code| EAFNOSUPPORT.contains(&code))
}

/// Sets the bounds that every accepted connection inherits. Without them a client that sends
/// requests and never reads would keep its connection and its buffered answers for long. A kernel
/// that does not have one of these options, such as an emulated one, serves without it.
fn bound_clients(socket: &Socket) {
    let keepalive = TcpKeepalive::new().with_time(CLIENT_SILENCE).with_interval(CLIENT_PROBE);
    let mut refused = socket.set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    {
        refused = refused.and(socket.set_tcp_user_timeout(Some(CLIENT_SILENCE)));
    }
    refused = refused.and(socket.set_send_buffer_size(SEND_BUFFER));
    if let Err(error) = refused {
        log::warn!("the system has not all options of sockets: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn the_unspecified_ipv6_address_serves_ipv4_too() {
        let listener = listen("PORT", "[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        // A machine without IPv6 has only the first.
        if TcpListener::bind("[::1]:0").is_ok() {
            TcpStream::connect(("::1", port)).unwrap();
        }
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_its_setting() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = listen("OPS_PORT", address).unwrap_err().to_string();
        assert!(error.starts_with(&format!("OPS_PORT: cannot listen on {address}: ")), "{error}");
    }

    #[test]
    fn a_system_without_ipv6_is_recognised() {
        assert!(lacks_ipv6(&io::Error::from_raw_os_error(97)));
        assert!(lacks_ipv6(&ErrorKind::AddrNotAvailable.into()));
        assert!(!lacks_ipv6(&ErrorKind::AddrInUse.into()));
    }
}
