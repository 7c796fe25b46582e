//! The port for operators: `/health/live`, `/health/ready`, `/metrics`.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};
use serde::Serialize;

use super::Metrics;

/// A part that takes longer than this to say how it is, is not ready.
const CHECK_PATIENCE: Duration = Duration::from_secs(1);

/// How many connections are open at a time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// How long a client may take to send its request line and headers.
pub const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long an idle connection is kept: longer than the pauses of whoever reads the metrics.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

type Check =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// What has to work for this process to be useful, asked anew at every request.
#[derive(Clone, Default)]
pub struct Readiness {
    parts: Vec<(&'static str, Check)>,
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|(name, _)| name)).finish()
    }
}

/// The answer to `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `UP` if every part is, else `DOWN`.
    pub status: &'static str,
    /// `UP`, or why not, part by part.
    pub components: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Adds a part.
    #[must_use]
    pub fn with<F>(
        mut self,
        name: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.parts.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// Asks every part.
    pub async fn health(&self) -> Health {
        let asked = self.parts.iter().map(|(name, check)| async move {
            match tokio::time::timeout(CHECK_PATIENCE, check()).await {
                Ok(Ok(())) => (*name, "UP".to_owned()),
                Ok(Err(why)) => (*name, why),
                Err(_) => (*name, "does not answer".to_owned()),
            }
        });
        let components: BTreeMap<_, _> =
            futures_util::future::join_all(asked).await.into_iter().collect();
        let up = components.values().all(|state| state == "UP");
        Health { status: if up { "UP" } else { "DOWN" }, components }
    }
}

/// Serves on `listener` with one thread until the server is stopped: what every process has, and
/// what `more` adds.
///
/// # Errors
/// If the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(readiness.clone()))
            .app_data(Data::new(metrics.clone()))
            .configure(health_routes)
            .route("/metrics", web::get().to(render))
            .configure(more.clone())
    })
    .workers(1)
    .disable_signals()
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_PATIENCE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(1)
    .listen(listener)?;
    Ok(server.run())
}

fn health_routes(routes: &mut ServiceConfig) {
    routes
        .route("/health/live", web::get().to(live))
        .route("/health/ready", web::get().to(ready))
        .route("/actuator/health", web::get().to(ready));
}

/// That the process runs.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "UP", components: BTreeMap::new() })
}

/// How the process is, part by part.
pub async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    let health = readiness.health().await;
    let mut answer = match health.status {
        "UP" => HttpResponse::Ok(),
        _ => HttpResponse::ServiceUnavailable(),
    };
    answer.json(health)
}

/// Asks every part how it is, which takes [`CHECK_PATIENCE`] at most, and shows all numbers.
async fn render(readiness: Data<Readiness>, metrics: Data<Metrics>) -> HttpResponse {
    let health = readiness.health().await;
    metrics.health.show(health.components.iter().map(|(name, state)| (*name, state == "UP")));
    match metrics.render() {
        Ok(text) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// What `healthcheck` as a subcommand does: asks the process that listens on `address` of this
/// machine whether it is ready. Blocks, a few seconds at most.
///
/// # Errors
/// What the process answered, or that it does not.
pub fn ask_ready(mut address: SocketAddr) -> std::io::Result<()> {
    use std::io::{Error, Read as _, Write as _};
    let patience = Some(CHECK_PATIENCE * 2);
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    if address.port() == 0 {
        return Err(Error::other("with OPS_PORT=0 nobody knows where to ask"));
    }
    let mut stream = std::net::TcpStream::connect_timeout(&address, CHECK_PATIENCE)?;
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(Error::other(answer)) }
}
