//! A collector of spans for tests: accepts OTLP over HTTP and Zipkin's JSON, keeps the spans, and
//! can be made silent or made to redirect its clients.

mod otlp;
mod span;
mod zipkin;

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::eventually::eventually;
use crate::ports;

/// The largest accepted request, in bytes.
const BODY_MAX: usize = 16 * 1024 * 1024;

pub use span::Collected;

type Spans = Arc<Mutex<Received>>;

/// The received requests. They are decoded only when a test reads the spans, so that a benchmark
/// that shares its cores with the collector measures the cost of sending.
#[derive(Debug, Default)]
struct Received {
    bodies: VecDeque<(Bytes, Read)>,
    spans: Vec<Collected>,
}

type Read = fn(&[u8]) -> Result<Vec<Collected>>;

impl Received {
    fn read(&mut self) -> Result<&[Collected]> {
        while let Some((body, read)) = self.bodies.front() {
            self.spans.extend(read(body)?);
            self.bodies.pop_front();
        }
        Ok(&self.spans)
    }
}

/// The treatment of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Accepted.
    Accept,
    /// Not answered.
    Silent,
    /// Redirected.
    Redirect,
}

/// A running collector. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    spans: Spans,
    mode: watch::Sender<Mode>,
    server: ServerHandle,
    _tasks: JoinSet<std::io::Result<()>>,
}

impl Collector {
    /// Starts a collector on a free port.
    ///
    /// # Errors
    /// If the port can't be opened.
    pub fn start() -> Result<Collector> {
        let port = ports::free()?;
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let (spans, mode) = (Spans::default(), watch::Sender::new(Mode::Accept));
        let (received, modes) = (spans.clone(), mode.subscribe());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(received.clone()))
                .app_data(Data::new(modes.clone()))
                .app_data(PayloadConfig::new(BODY_MAX))
                .route("/v1/traces", web::post().to(receive_otlp))
                .route("/api/v2/spans", web::post().to(receive_zipkin))
                .route("/", web::get().to(HttpResponse::Ok))
        });
        let server =
            server.workers(1).disable_signals().shutdown_timeout(0).listen(listener)?.run();
        let handle = server.handle();
        let mut tasks = JoinSet::new();
        tasks.spawn(server);
        Ok(Collector { port, spans, mode, server: handle, _tasks: tasks })
    }

    /// The endpoint for spans as OTLP.
    pub fn otlp_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The endpoint for spans as Zipkin's JSON.
    pub fn zipkin_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/api/v2/spans", self.port)
    }

    /// Stops answering requests; or answers again, including the requests that wait.
    pub fn fall_silent(&self, silent: bool) {
        self.mode.send_replace(if silent { Mode::Silent } else { Mode::Accept });
    }

    /// Redirects every request from now on to a page that answers 200.
    pub fn send_elsewhere(&self) {
        self.mode.send_replace(Mode::Redirect);
    }

    /// All spans that have arrived so far.
    ///
    /// # Errors
    /// If a request cannot be decoded; every later call fails as well.
    pub fn spans(&self) -> Result<Vec<Collected>> {
        let mut received = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(received.read()?.to_vec())
    }

    /// Waits until `enough` accepts the spans that have arrived, and returns them.
    pub async fn eventually(
        &self,
        what: &str,
        deadline: Duration,
        enough: impl Fn(&[Collected]) -> bool,
    ) -> Vec<Collected> {
        eventually(what, deadline, async || {
            let spans = self.spans().map_err(|error| format!("{error:#}"))?;
            if enough(&spans) { Ok(spans) } else { Err(format!("{} spans", spans.len())) }
        })
        .await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _stopping = self.server.stop(false);
    }
}

async fn receive_otlp(
    body: Bytes,
    spans: Data<Spans>,
    mode: Data<watch::Receiver<Mode>>,
) -> HttpResponse {
    receive(body, otlp::read, &spans, &mode).await
}

async fn receive_zipkin(
    body: Bytes,
    spans: Data<Spans>,
    mode: Data<watch::Receiver<Mode>>,
) -> HttpResponse {
    receive(body, zipkin::read, &spans, &mode).await
}

async fn receive(
    body: Bytes,
    read: Read,
    spans: &Spans,
    mode: &watch::Receiver<Mode>,
) -> HttpResponse {
    let mut mode = mode.clone();
    let mode = mode.wait_for(|mode| *mode != Mode::Silent).await.map(|mode| *mode);
    match mode {
        Ok(Mode::Redirect) => HttpResponse::Found().insert_header(("location", "/")).finish(),
        Ok(Mode::Accept | Mode::Silent) => {
            spans.lock().unwrap_or_else(PoisonError::into_inner).bodies.push_back((body, read));
            HttpResponse::Ok().finish()
        }
        // The collector was dropped: a request that it has not answered is not accepted any more.
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}
