//! What watches Ordermill, as it is shipped in `deploy/monitoring`: real Prometheus with our rules,
//! real Alertmanager, PostgreSQL's exporter, and a mail server that keeps what it is sent.

mod api;
mod mailbox;
mod places;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

pub use api::{Rule, Series};
pub use mailbox::{Mail, Mailbox};
use places::Places;

use crate::binaries::workspace;
use crate::eventually::wait_for;
use crate::fail::OrFail;
use crate::scratch_dir::ScratchDir;
use crate::watchdog::{Environment, Guarded, Program};
use crate::world::World;
use crate::{installed, log_file, ports, postgres};

/// A second on an idle machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The directory with what is shipped.
pub fn shipped() -> PathBuf {
    workspace().join("deploy/monitoring")
}

/// A running Prometheus with the shipped rules. Dropping it kills it.
#[derive(Debug)]
pub struct Prometheus {
    port: u16,
    http: reqwest::Client,
    process: Guarded,
    log: PathBuf,
    _dir: ScratchDir,
}

impl Prometheus {
    /// One that watches nobody. Panics if it can't be started.
    pub async fn alone() -> Prometheus {
        Prometheus::start(&Places::default()).await.or_fail("start Prometheus")
    }

    async fn start(places: &Places) -> Result<Prometheus> {
        let dir = ScratchDir::new()?;
        let port = ports::free()?;
        let settings = dir.path().join("prometheus.yml");
        std::fs::write(&settings, places.prometheus(port)?)?;
        let log = dir.path().join("log");
        let process = start(
            installed::prometheus()?,
            [
                flag("config.file", settings.display()),
                flag("storage.tsdb.path", dir.path().join("data").display()),
                flag("web.listen-address", format_args!("127.0.0.1:{port}")),
            ],
            &[],
            &log,
        )?;
        let http = reqwest::Client::new();
        let prometheus = Prometheus { port, http, process, log, _dir: dir };
        let ready = wait_for("Prometheus to be ready", START_DEADLINE, async || {
            prometheus.get::<serde_json::Value>("status/runtimeinfo").await
        });
        ready.await.with_context(|| prometheus.story())?;
        Ok(prometheus)
    }

    /// The end of what it has said.
    pub fn story(&self) -> String {
        let ended = self.process.exit_status().map(|status| format!("it has ended, {status}; "));
        format!("{}{}", ended.unwrap_or_default(), log_file::tail(&self.log, 20))
    }
}

/// All of it around one world. Fields are dropped in this order.
#[derive(Debug)]
pub struct Monitoring {
    /// What scrapes and judges.
    pub prometheus: Prometheus,
    /// What has been sent.
    pub mailbox: Mailbox,
    _others: [Guarded; 2],
    _dir: ScratchDir,
}

impl Monitoring {
    /// Watches all processes that the world has now, its RabbitMQ and its PostgreSQL. Panics if
    /// something can't be started.
    pub async fn of(world: &World) -> Monitoring {
        Monitoring::start(world).await.or_fail("start what watches")
    }

    async fn start(world: &World) -> Result<Monitoring> {
        let dir = ScratchDir::new()?;
        let mailbox = Mailbox::start(dir.path()).await?;
        let exporter_port = ports::free()?;
        let exporter = exporter(world, exporter_port, dir.path())?;
        let alertmanager_port = ports::free()?;
        let alertmanager = alertmanager(mailbox.port(), alertmanager_port, dir.path())?;
        let places = Places {
            exporter: vec![exporter_port],
            alertmanager: vec![alertmanager_port],
            ..Places::of(world)
        };
        let prometheus = Prometheus::start(&places).await?;
        Ok(Monitoring { prometheus, mailbox, _others: [exporter, alertmanager], _dir: dir })
    }
}

fn exporter(world: &World, port: u16, dir: &Path) -> Result<Guarded> {
    let database = world.tenancy().postgres().port();
    let variables = [
        ("DATA_SOURCE_URI", format!("127.0.0.1:{database}/{}?sslmode=disable", world.name())),
        ("DATA_SOURCE_USER", postgres::USER.to_owned()),
        ("DATA_SOURCE_PASS", postgres::PASSWORD.to_owned()),
    ];
    let listen = flag("web.listen-address", format_args!("127.0.0.1:{port}"));
    start(installed::postgres_exporter()?, [listen], &variables, &dir.join("exporter.log"))
}

fn alertmanager(smtp_port: u16, port: u16, dir: &Path) -> Result<Guarded> {
    let settings = dir.join("alertmanager.yml");
    std::fs::write(&settings, places::alertmanager(smtp_port)?)?;
    let arguments = [
        flag("config.file", settings.display()),
        flag("storage.path", dir.join("alertmanager").display()),
        flag("web.listen-address", format_args!("127.0.0.1:{port}")),
        flag("cluster.listen-address", ""),
    ];
    start(installed::alertmanager()?, arguments, &[], &dir.join("alertmanager.log"))
}

fn flag(name: &str, value: impl std::fmt::Display) -> OsString {
    format!("--{name}={value}").into()
}

fn start(
    path: PathBuf,
    arguments: impl IntoIterator<Item = OsString>,
    variables: &[(&str, String)],
    log: &Path,
) -> Result<Guarded> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Guarded::start(&Program {
        path,
        arguments: arguments.into_iter().collect(),
        variables: variables.collect(),
        environment: Environment::Inherited,
        log: log.to_owned(),
        user: None,
        put_down_with: Signal::SIGKILL,
    })
}
