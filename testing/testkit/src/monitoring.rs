//! The monitoring that is shipped in `deploy/monitoring`: real Prometheus with Ordermill's rules,
//! real Alertmanager, PostgreSQL's exporter, and a mail server that keeps every mail.

mod api;
mod mailbox;
mod program;
mod prometheus;
mod scrape_targets;
mod shipped;

use std::path::Path;

use anyhow::Result;

pub use api::{Rule, Series};
pub use mailbox::{Mail, Mailbox};
use program::{flag, start};
pub use prometheus::Prometheus;
use scrape_targets::ScrapeTargets;
pub use shipped::shipped;

use crate::fail::OrFail;
use crate::scratch_dir::ScratchDir;
use crate::watchdog::Guarded;
use crate::world::World;
use crate::{installed, ports, postgres};

/// All programs of the monitoring around one world. Fields are dropped in this order.
#[derive(Debug)]
pub struct Monitoring {
    /// Scrapes the processes and evaluates the rules.
    pub prometheus: Prometheus,
    /// Receives the alerts' mails.
    pub mailbox: Mailbox,
    _others: [Guarded; 2],
    _dir: ScratchDir,
}

impl Monitoring {
    /// Monitors all processes that the world has now, its RabbitMQ and its PostgreSQL. Panics if a
    /// program can't be started.
    pub async fn of(world: &World) -> Monitoring {
        Monitoring::start(world).await.or_fail("start the monitoring")
    }

    async fn start(world: &World) -> Result<Monitoring> {
        let dir = ScratchDir::new()?;
        let mailbox = Mailbox::start(dir.path()).await?;
        let exporter_port = ports::free()?;
        let exporter = exporter(world, exporter_port, dir.path())?;
        let alertmanager_port = ports::free()?;
        let alertmanager = alertmanager(mailbox.port(), alertmanager_port, dir.path())?;
        let targets = ScrapeTargets {
            exporter: vec![exporter_port],
            alertmanager: vec![alertmanager_port],
            ..ScrapeTargets::of(world)
        };
        let prometheus = Prometheus::start(&targets).await?;
        Ok(Monitoring { prometheus, mailbox, _others: [exporter, alertmanager], _dir: dir })
    }
}

fn exporter(world: &World, port: u16, dir: &Path) -> Result<Guarded> {
    let database = world.isolation().postgres().port();
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
    std::fs::write(&settings, scrape_targets::alertmanager(smtp_port)?)?;
    let arguments = [
        flag("config.file", settings.display()),
        flag("storage.path", dir.join("alertmanager").display()),
        flag("web.listen-address", format_args!("127.0.0.1:{port}")),
        flag("cluster.listen-address", ""),
    ];
    start(installed::alertmanager()?, arguments, &[], &dir.join("alertmanager.log"))
}
