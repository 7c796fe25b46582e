//! A collector of spans, as the services' tests need one: takes OTLP over HTTP and Zipkin's JSON,
//! remembers what it took, can fall silent, and can send everybody elsewhere.

mod otlp;
mod zipkin;

use std::collections::{BTreeMap, VecDeque};
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

/// The largest request it takes, in bytes.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// A span as it arrived, whichever way. Ids are in hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Which program.
    pub service: String,
    /// Its trace.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// The span that caused it.
    pub parent_id: Option<String>,
    /// What was done.
    pub name: String,
    /// `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER` or `INTERNAL`.
    pub kind: &'static str,
    /// When it began and ended, in nanoseconds since 1970.
    pub times: (u64, u64),
    /// All of them, as text.
    pub attributes: BTreeMap<String, String>,
    /// Trace and span of what it links to; Zipkin knows no links.
    pub links: Vec<(String, String)>,
    /// Whether it ended as it should not.
    pub failed: bool,
}

type Spans = Arc<Mutex<Taken>>;

/// What has arrived. It is read when somebody asks for it: a benchmark that shares its cores with
/// a collector is to measure what sending costs.
#[derive(Debug, Default)]
struct Taken {
    bodies: VecDeque<(Bytes, Read)>,
    spans: Vec<Collected>,
}

type Read = fn(&[u8]) -> Result<Vec<Collected>>;

impl Taken {
    fn read(&mut self) -> Result<&[Collected]> {
        while let Some((body, read)) = self.bodies.front() {
            self.spans.extend(read(body)?);
            self.bodies.pop_front();
        }
        Ok(&self.spans)
    }
}

/// How it treats a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Taking,
    Silent,
    Elsewhere,
}

/// A running collector. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    spans: Spans,
    mood: watch::Sender<Mood>,
    server: ServerHandle,
    _tasks: JoinSet<std::io::Result<()>>,
}

impl Collector {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn start() -> Result<Collector> {
        let port = ports::free()?;
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let (spans, mood) = (Spans::default(), watch::Sender::new(Mood::Taking));
        let (taken, moods) = (spans.clone(), mood.subscribe());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(taken.clone()))
                .app_data(Data::new(moods.clone()))
                .app_data(PayloadConfig::new(BODY_MAX))
                .route("/v1/traces", web::post().to(take_otlp))
                .route("/api/v2/spans", web::post().to(take_zipkin))
                .route("/", web::get().to(HttpResponse::Ok))
        });
        let server =
            server.workers(1).disable_signals().shutdown_timeout(0).listen(listener)?.run();
        let handle = server.handle();
        let mut tasks = JoinSet::new();
        tasks.spawn(server);
        Ok(Collector { port, spans, mood, server: handle, _tasks: tasks })
    }

    /// What a process has to be told to send spans here as OTLP.
    pub fn otlp_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same as Zipkin's JSON.
    pub fn zipkin_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/api/v2/spans", self.port)
    }

    /// From now on it takes requests and answers none; or answers again, also those.
    pub fn fall_silent(&self, silent: bool) {
        self.mood.send_replace(if silent { Mood::Silent } else { Mood::Taking });
    }

    /// From now on it takes nothing, and redirects to a page that says 200.
    pub fn send_elsewhere(&self) {
        self.mood.send_replace(Mood::Elsewhere);
    }

    /// Everything that has arrived so far.
    ///
    /// # Errors
    /// If some of it cannot be read; it is then never got past.
    pub fn spans(&self) -> Result<Vec<Collected>> {
        let mut taken = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(taken.read()?.to_vec())
    }

    /// Waits until what has arrived is enough, and returns it.
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

async fn take_otlp(
    body: Bytes,
    spans: Data<Spans>,
    mood: Data<watch::Receiver<Mood>>,
) -> HttpResponse {
    take(body, otlp::read, &spans, &mood).await
}

async fn take_zipkin(
    body: Bytes,
    spans: Data<Spans>,
    mood: Data<watch::Receiver<Mood>>,
) -> HttpResponse {
    take(body, zipkin::read, &spans, &mood).await
}

async fn take(
    body: Bytes,
    read: Read,
    spans: &Spans,
    mood: &watch::Receiver<Mood>,
) -> HttpResponse {
    // Its sender lives as long as the collector, and the request no longer than that.
    let mut mood = mood.clone();
    if mood.wait_for(|mood| *mood != Mood::Silent).await.is_ok_and(|mood| *mood == Mood::Elsewhere)
    {
        return HttpResponse::Found().insert_header(("location", "/")).finish();
    }
    spans.lock().unwrap_or_else(PoisonError::into_inner).bodies.push_back((body, read));
    HttpResponse::Ok().finish()
}
