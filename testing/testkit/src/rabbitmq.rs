//! A RabbitMQ node with its own directory, ports, cookie, port mapper and settings. Of the system's
//! installation it uses only the programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::{sys::signal::Signal, unistd::Pid};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::epmd::Epmd;
use crate::eventually::wait_for;
use crate::watchdog::{Environment, Guarded, Program};
use crate::{installed, log_file, ports, queue_names};

mod management;
mod settings;

pub use settings::RabbitMqPorts;

/// The default user of every node, allowed on loopback only.
pub const USER: &str = "guest";
/// The user's password.
pub const PASSWORD: &str = "guest";

/// The name of every node. A node's data is bound to its name, which must not change between runs.
/// Parallel nodes may share the name, because each is registered with its own port mapper only.
const NODE: &str = "ordermill@localhost";

/// Bound of a start, which takes 5 s on an idle machine, and longer with a backlog in quorum
/// queues.
const START_DEADLINE: Duration = Duration::from_secs(120);
const STOP_DEADLINE: Duration = Duration::from_secs(60);
const LOG_LINES: usize = 20;

/// Share of the machine's memory above which publishers are blocked: RabbitMQ's default, and a
/// share that any node exceeds.
const WATERMARK_NORMAL: &str = "0.4";
const WATERMARK_ALARM: &str = "0.000001";

/// A running (or killed, or stopped) node. Dropping it kills it.
#[derive(Debug)]
pub struct RabbitMq {
    dir: PathBuf,
    scripts: PathBuf,
    ports: RabbitMqPorts,
    distribution_port: u16,
    node: Mutex<Option<Arc<Guarded>>>,
    epmd: Epmd,
}

impl RabbitMq {
    /// Starts a node on free ports with the data in `dir`, if any, and waits until it serves.
    pub async fn start(dir: &Path) -> Result<RabbitMq> {
        RabbitMq::start_on(dir, RabbitMqPorts::free()?).await
    }

    /// [`RabbitMq::start`] on given ports.
    pub async fn start_on(dir: &Path, ports: RabbitMqPorts) -> Result<RabbitMq> {
        std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        settings::write(dir, ports)?;
        let rabbitmq = RabbitMq {
            dir: dir.to_owned(),
            scripts: installed::rabbitmq()?,
            ports,
            distribution_port: ports::free()?,
            node: Mutex::default(),
            epmd: Epmd::start(dir).await?,
        };
        rabbitmq.start_again().await?;
        Ok(rabbitmq)
    }

    /// The port on 127.0.0.1; the same for the node's whole life.
    pub fn amqp_port(&self) -> u16 {
        self.ports.amqp
    }

    /// The port of `/metrics` and `/metrics/detailed`, on 127.0.0.1.
    pub fn metrics_port(&self) -> u16 {
        self.ports.metrics
    }

    /// The id of the node, while it runs.
    pub fn pid(&self) -> Option<Pid> {
        let node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        node.as_ref().filter(|node| node.exit_status().is_none()).map(|node| node.pid())
    }

    /// The path of the output of the node's start; the node's logs are in `log/` beside it.
    pub fn log(&self) -> PathBuf {
        self.dir.join("output")
    }

    /// The URL of one virtual host.
    pub fn url(&self, vhost: &str) -> String {
        format!("amqp://{USER}:{PASSWORD}@127.0.0.1:{}/{vhost}", self.ports.amqp)
    }

    /// The address of the management interface.
    pub fn management_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.management)
    }

    /// Kills the node. Confirmed messages are on disk, others are lost. The method first waits
    /// until new queues would survive ([`queue_names`]).
    pub async fn kill(&self) -> Result<()> {
        queue_names::saved(&self.dir.join(format!("data/{NODE}/quorum/{NODE}"))).await?;
        self.end_with(Signal::SIGKILL).await
    }

    /// Stops the node with SIGTERM.
    pub async fn stop(&self) -> Result<()> {
        self.end_with(Signal::SIGTERM).await
    }

    /// Starts the node on the same ports and data, and waits until it serves.
    pub async fn start_again(&self) -> Result<()> {
        let node = Arc::new(Guarded::start(&self.program())?);
        let started = wait_for("RabbitMQ to serve", START_DEADLINE, async || {
            if node.exit_status().is_some() {
                return Ok(Err("RabbitMQ ended at once"));
            }
            self.serves().await.map(Ok)
        });
        let story = || log_file::tail(&self.log(), LOG_LINES);
        if let Err(ended) = started.await.with_context(story)? {
            bail!("{ended}; {}", story());
        }
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
        Ok(())
    }

    /// True if the node has been started and has not ended.
    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// Raises the memory alarm: every publisher receives `connection.blocked` and is blocked.
    pub async fn raise_memory_alarm(&self) -> Result<()> {
        self.set_watermark(WATERMARK_ALARM).await
    }

    /// Ends the memory alarm.
    pub async fn clear_memory_alarm(&self) -> Result<()> {
        self.set_watermark(WATERMARK_NORMAL).await
    }

    async fn set_watermark(&self, share: &'static str) -> Result<()> {
        let mut command = Command::new(self.scripts.join("rabbitmqctl"));
        command.args(["set_vm_memory_high_watermark", share]).envs(self.variables());
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let story = || String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "rabbitmqctl failed: {}", story());
        Ok(())
    }

    async fn end_with(&self, signal: Signal) -> Result<()> {
        let node = self.node.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(node) = node else { return Ok(()) };
        node.signal(signal)?;
        node.wait_exit(STOP_DEADLINE).await?;
        Ok(())
    }

    /// Checks that the node answers the beginning of an AMQP handshake.
    pub async fn answers(&self) -> Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports.amqp)).await?;
        stream.write_all(b"AMQP\0\0\x09\x01").await?;
        let method_frame = 1;
        ensure!(stream.read_u8().await? == method_frame, "no answer to the AMQP header");
        Ok(())
    }

    /// Checks that the node answers a handshake and that its management interface answers.
    async fn serves(&self) -> Result<()> {
        self.answers().await?;
        self.management(Method::GET, "whoami", None).await
    }

    fn program(&self) -> Program {
        Program {
            path: self.scripts.join("rabbitmq-server"),
            arguments: Vec::new(),
            variables: self.variables(),
            environment: Environment::Inherited,
            log: self.log(),
            user: None,
            stop_signal: Signal::SIGKILL,
        }
    }

    fn variables(&self) -> Vec<(String, String)> {
        let at = |name: &str| self.dir.join(name).to_string_lossy().into_owned();
        let variables = [
            ("HOME", at("")),
            ("RABBITMQ_NODENAME", NODE.into()),
            ("RABBITMQ_DIST_PORT", self.distribution_port.to_string()),
            ("RABBITMQ_MNESIA_BASE", at("data")),
            ("RABBITMQ_LOG_BASE", at("log")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins")),
            ("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf")),
            // Without these the node would read the system's settings.
            ("RABBITMQ_CONF_ENV_FILE", at("rabbitmq-env.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", at("advanced.config")),
            ("RABBITMQ_CONFIG_FILES", at("conf.d")),
            ("RABBITMQ_GENERATED_CONFIG_DIR", at("generated")),
            // Otherwise a shell stays between this process and the node, and gets the SIGKILL.
            ("RUNNING_UNDER_SYSTEMD", "true".into()),
            ("ERL_EPMD_PORT", self.epmd.port().to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                format!("-start_epmd false {LOOPBACK} {IDLE_SCHEDULERS}"),
            ),
            ("RABBITMQ_CTL_ERL_ARGS", "-start_epmd false".into()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// Idle schedulers sleep, as in docker-compose.yml: a spinning one takes the processor from the other
/// tests. The benchmark, a release build, measures a node with Erlang's defaults.
const IDLE_SCHEDULERS: &str =
    if cfg!(debug_assertions) { "+sbwt none +sbwtdcpu none +sbwtdio none" } else { "" };

/// Binds Erlang's distribution port, which only `rabbitmqctl` uses, to loopback.
const LOOPBACK: &str = "-kernel inet_dist_use_interface {127,0,0,1}";
