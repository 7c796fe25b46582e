//! The HTTP server of every port: actix-web's routes behind connections that always end.
//!
//! `actix_web::HttpServer` leaves some waits unbounded, and takes part in an upgrade that no route
//! offers. This module puts the same parts together with a [`ClientConnection`] in between.

mod clock;
mod connection;
mod upgrade_offers;

use std::fmt::Debug;
use std::future::ready;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _};
use actix_service::{fn_service, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server};
use actix_web::rt::net::TcpStream;

use self::clock::ConnectionLimits;
use self::connection::ClientConnection;

/// Timeout of a request's line and headers.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a client to send the rest of a body that no handler reads, after which the connection
/// closes. Without it the client would see a reset in place of the answer.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes that wait in memory for a client to read them. Together with a piece of a body
/// ([`PIECE_MAX`](crate::answer_body::PIECE_MAX)) they fit into the buffer that each connection has
/// from its beginning.
const WRITE_BUFFER: usize = 4 * 1024;

/// Settings of a server.
#[derive(Clone, Copy, Debug)]
pub struct HttpSettings {
    /// Threads.
    pub workers: usize,
    /// Largest number of connected clients; further ones wait to be accepted.
    pub connections_max: usize,
    /// Lifetime of an idle connection.
    pub keep_alive: Duration,
    /// Time for answers in progress to end after the stop.
    pub shutdown_timeout: Duration,
}

/// The server on `listener` with the routes of `app`.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve_http<F, I, S, B>(
    listener: TcpListener,
    settings: HttpSettings,
    app: F,
) -> std::io::Result<Server>
where
    F: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let HttpSettings { workers, connections_max, keep_alive, shutdown_timeout } = settings;
    let address = listener.local_addr()?;
    let limits = ConnectionLimits::new(HEAD_TIMEOUT, keep_alive);
    let builder = ServerBuilder::new()
        .workers(workers)
        .max_concurrent_connections(connections_max.div_ceil(workers.max(1)))
        .shutdown_timeout(shutdown_timeout.as_secs().max(1))
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", listener, move || {
        let stopping = stopping.clone();
        let routes = app().into_factory().map_err(|error| error.into().error_response());
        let requests = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(keep_alive)
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(LINGER)
            .h1_write_buffer_size(WRITE_BUFFER)
            .local_addr(address)
            .on_connect_ext(|connection: &ClientConnection, data: &mut Extensions| {
                data.insert(connection.open_requests());
            })
            .h1(map_config(routes, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            ready(Ok::<_, DispatchError>((ClientConnection::new(stream, limits), peer)))
        })
        .and_then(requests)
    })?;
    Ok(builder.run())
}
