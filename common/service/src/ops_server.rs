//! The ops server: `/health/live`, `/health/ready`, `/metrics`, and the routes that a program adds.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use telemetry::metrics::Metrics;

use crate::health::{CHECK_TIMEOUT, Health, HealthMetrics, Readiness};
use crate::problem::Problem;
use crate::request::with_request_id;
use crate::routes::{Routes, unknown_route};

/// Largest number of open connections; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// Timeout of a request's line and headers.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Lifetime of an idle connection: longer than a scraper's interval.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The server on `listener` with one thread: the routes of every program, and those of `more`.
///
/// # Errors
/// If the listener cannot be used.
pub(crate) fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let health_metrics: HealthMetrics = metrics.get();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(readiness.clone()))
            .app_data(Data::new(metrics.clone()))
            .app_data(Data::new(health_metrics.clone()))
            .wrap(from_fn(with_request_id))
            .configure(|config| routes().configure(config))
            .configure(more.clone())
            .default_service(web::to(unknown_route))
    })
    .workers(1)
    .disable_signals()
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(1)
    .listen(listener)?;
    Ok(server.run())
}

/// The routes of every program.
fn routes() -> Routes {
    let mut routes = Routes::default();
    routes.add(Method::GET, "/health/live", live);
    routes.add(Method::GET, "/health/ready", ready);
    routes.add(Method::GET, "/actuator/health", ready);
    routes.add(Method::GET, "/metrics", render);
    routes
}

/// `200` as long as the process runs.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "UP", components: Default::default() })
}

/// `200` if every component is ready, else `503`, with each component's state.
pub async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    let health = readiness.health().await;
    let mut answer = match health.status {
        "UP" => HttpResponse::Ok(),
        _ => HttpResponse::ServiceUnavailable(),
    };
    answer.json(health)
}

/// Checks every component, which takes [`CHECK_TIMEOUT`] at most, and shows all metrics.
async fn render(
    readiness: Data<Readiness>,
    metrics: Data<Metrics>,
    health_metrics: Data<HealthMetrics>,
) -> Result<HttpResponse, Problem> {
    health_metrics.set(&readiness.health().await);
    let text = metrics.render().map_err(|_| Problem::internal())?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}

/// The subcommand `healthcheck`: asks the process that listens on `address` of this machine whether
/// it lives. Not whether it is ready: an orchestrator restarts what fails this check, and a restart
/// brings no database or broker back. Blocks, for a few seconds at most.
///
/// # Errors
/// The answer of the process, or the reason why there is none.
pub(crate) fn ask_live(mut address: SocketAddr) -> std::io::Result<()> {
    use std::io::{Error, Read as _, Write as _};
    let timeout = Some(CHECK_TIMEOUT * 2);
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    if address.port() == 0 {
        return Err(Error::other("with OPS_PORT=0 the port of the process is not known"));
    }
    let mut stream = std::net::TcpStream::connect_timeout(&address, CHECK_TIMEOUT)?;
    stream.set_read_timeout(timeout)?;
    stream.set_write_timeout(timeout)?;
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(Error::other(answer)) }
}
