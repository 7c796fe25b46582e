//! The ops server: `/health/live`, `/health/ready`, `/metrics`, and the routes that a program adds.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse};
use telemetry::metrics::Metrics;

use crate::allowed_hosts::{AllowedHosts, check_host};
use crate::health::{CHECK_TIMEOUT, Health, HealthMetrics, Readiness};
use crate::http_server::{HttpSettings, serve_http};
use crate::problem::Problem;
use crate::request::with_request_id;
use crate::routes::{Routes, unknown_route};

/// Lifetime of an idle connection: longer than a scraper's interval.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Time for answers in progress to end at the end of the process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The parts of an ops server.
pub(crate) struct OpsServer {
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Metrics,
    pub(crate) hosts: AllowedHosts,
    pub(crate) connections_max: usize,
}

impl OpsServer {
    /// The server on `listener` with one thread: the routes of every program, and those of `more`.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub(crate) fn serve(
        self,
        listener: TcpListener,
        more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> std::io::Result<Server> {
        let settings = HttpSettings {
            workers: 1,
            connections_max: self.connections_max,
            keep_alive: KEEP_ALIVE,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
        };
        let health_metrics: HealthMetrics = self.metrics.get();
        serve_http(listener, settings, move || {
            App::new()
                .app_data(Data::new(self.readiness.clone()))
                .app_data(Data::new(self.metrics.clone()))
                .app_data(Data::new(health_metrics.clone()))
                .app_data(Data::new(self.hosts.clone()))
                .wrap(from_fn(check_host))
                .wrap(from_fn(with_request_id))
                .configure(|config| routes().configure(config))
                .configure(more.clone())
                .default_service(web::to(unknown_route))
        })
    }
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
    // A process on `::` serves IPv4 too, and on a system without IPv6 nothing else.
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
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
