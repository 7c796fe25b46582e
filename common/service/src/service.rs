//! The life of a program: start, serve, drain, stop.

use std::future::Future;
use std::net::TcpListener;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::ServiceConfig;
use telemetry::metrics::Metrics;
use telemetry::trace::{self, TraceSettings};
use telemetry::{LogMetrics, count_lines, start_logging};
use tokio::runtime::Handle;

use crate::boot::{ProcessSettings, report_unused_settings};
use crate::health::Readiness;
use crate::open_files::{connections_within, raise_limit};
use crate::ops_server::OpsServer;
use crate::tasks::Tasks;

/// Time for the last tasks to end after the drain.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);

/// The tasks and metrics that the components of a program share. Clones share them too.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// The tasks of the process.
    pub tasks: Tasks,
    /// The metrics of the process.
    pub metrics: Metrics,
}

/// A program, as [`Service::start`] needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The program's name, in logs, traces and metrics.
    pub name: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// The settings that every program has.
    pub process: &'a ProcessSettings,
    /// The settings of traces, where the program records any.
    pub trace: Option<&'a TraceSettings>,
    /// Time between SIGTERM and the stop, in which the process is not ready and still serves.
    pub shutdown_delay: Duration,
}

/// The reason why a program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is not available, or a signal handler cannot be installed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The exporter of traces cannot be built.
    #[error("the exporter of traces cannot be built: {0}")]
    Traces(String),
}

/// A task panicked, and the process stopped because of it.
#[derive(Debug, thiserror::Error)]
#[error("the task `{0}` panicked")]
pub struct TaskPanicked(&'static str);

type Step = Pin<Box<dyn Future<Output = ()>>>;

/// A running program.
///
/// [`Service::run`] ends it in this order:
///
/// 1. SIGTERM or SIGINT: *drain*. Readiness answers 503, everything else goes on, for the shutdown
///    delay. A second signal, or a task that panics, skips the delay.
/// 2. *Stop*. All steps of [`Service::on_stop`] run at the same time: intake and consumers end, work
///    in flight ends within the drain time, the rest is requeued.
/// 3. The steps of [`Service::on_drained`] run one after the other: connections close.
/// 4. The last spans are exported, the ops server ends, the remaining tasks are aborted.
/// 5. The steps of [`Service::at_end`] run: what carries the last log lines.
pub struct Service {
    name: &'static str,
    runtime: Runtime,
    readiness: Readiness,
    process: ProcessSettings,
    open_files: u64,
    ops_listener: Option<TcpListener>,
    ops_server: Option<ServerHandle>,
    on_stop: Vec<Step>,
    on_drained: Vec<Step>,
    at_end: Vec<Step>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Service({})", self.name)
    }
}

impl Service {
    /// Starts logging and traces, binds the ops port, and installs the signal handlers.
    ///
    /// # Errors
    /// See [`StartError`]; nothing is left running.
    pub fn start(program: Program<'_>) -> Result<Service, StartError> {
        let Program { name, version, process, trace, shutdown_delay } = program;
        start_logging(process.log_format, name);
        report_unused_settings();
        let open_files = raise_limit();
        let ops_listener = process.listen_ops()?;
        let ops = ops_listener.local_addr()?;
        let runtime = Runtime { tasks: Tasks::on(Handle::current()), metrics: Metrics::new(name) };
        runtime.tasks.stop_on_signals(shutdown_delay)?;
        count_lines(&runtime.metrics.get::<LogMetrics>());
        if let Some(settings) = trace {
            trace::start(settings, name, &runtime.metrics).map_err(StartError::Traces)?;
        }
        log::info!(ops:%; "{name} {version} started");
        let readiness = Readiness::default();
        let draining = runtime.tasks.draining();
        readiness.add("process", move || {
            std::future::ready(match draining.is_cancelled() {
                true => Err("stopping".to_owned()),
                false => Ok(()),
            })
        });
        Ok(Service {
            name,
            runtime,
            readiness,
            process: process.clone(),
            open_files,
            ops_listener: Some(ops_listener),
            ops_server: None,
            on_stop: Vec::new(),
            on_drained: Vec::new(),
            at_end: Vec::new(),
        })
    }

    /// The tasks and metrics of the process.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The components of the process. A component that is added later appears at once.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Starts the ops server with the routes of every program and those of `more`.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub fn serve_ops(
        &mut self,
        more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> std::io::Result<()> {
        if let Some(listener) = self.ops_listener.take() {
            let ops = OpsServer {
                readiness: self.readiness.clone(),
                metrics: self.runtime.metrics.clone(),
                hosts: self.process.ops_hosts.clone(),
                connections_max: self.process.ops_connections_max,
            };
            let server = ops.serve(listener, more)?;
            self.ops_server = Some(self.spawn_server("ops server", server));
        }
        Ok(())
    }

    /// Runs `server` as a task. If it ends by itself, the process stops.
    pub fn spawn_server(&self, name: &'static str, server: Server) -> ServerHandle {
        let handle = server.handle();
        let tasks = self.runtime.tasks.clone();
        self.runtime.tasks.spawn(name, async move {
            if let Err(error) = server.await {
                log::error!("the {name} ended: {error}");
            }
            tasks.stop();
        });
        handle
    }

    /// Adds a step of the stop: it ends intake or consumers and waits for the work in flight, for
    /// the drain time at most.
    pub fn on_stop(&mut self, step: impl Future<Output = ()> + 'static) {
        self.on_stop.push(Box::pin(step));
    }

    /// Adds a step after the stop, when no work is in flight any more.
    pub fn on_drained(&mut self, step: impl Future<Output = ()> + 'static) {
        self.on_drained.push(Box::pin(step));
    }

    /// Adds a step at the very end, for what carries the last log lines.
    pub fn at_end(&mut self, step: impl Future<Output = ()> + 'static) {
        self.at_end.push(Box::pin(step));
    }

    /// The value of the setting `name`, or fewer connections if the limit of open files leaves room
    /// for fewer. Past that limit no client could be accepted, and no server reached.
    pub fn connections_at_most(&self, name: &str, wanted: usize) -> usize {
        let possible = connections_within(self.open_files, wanted);
        if possible < wanted {
            let limit = self.open_files;
            log::warn!(
                "{name} is {wanted}, and {possible} are possible: the limit of open files is {limit} \
                 (ulimit -Hn)"
            );
        }
        possible
    }

    /// Time for work in flight to end.
    pub fn drain_timeout(&self) -> Duration {
        self.process.drain
    }

    /// Waits for the stop and carries it out, in the order that [`Service`] documents.
    ///
    /// # Errors
    /// If a task panicked.
    pub async fn run(self) -> Result<(), TaskPanicked> {
        self.runtime.tasks.stopping().cancelled().await;
        futures_util::future::join_all(self.on_stop).await;
        for step in self.on_drained {
            step.await;
        }
        trace::finish().await;
        if let Some(server) = self.ops_server {
            server.stop(true).await;
        }
        let ended = self.runtime.tasks.abort_after(ABORT_TIMEOUT).await;
        log::info!("{} stopped", self.name);
        for step in self.at_end {
            step.await;
        }
        ended.map_err(TaskPanicked)
    }
}
