//! A real load balancer in front of two order-managements: HAProxy with the settings of `deploy/`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use reqwest::Client;

use crate::binaries::workspace;
use crate::eventually::wait_for;
use crate::watchdog::{Environment, Guarded, Program};
use crate::{installed, log_file, ports};

const HEALTH_TIMEOUT: Duration = Duration::from_secs(60);

/// A running balancer. Dropping it kills it.
#[derive(Debug)]
pub struct Balancer {
    port: u16,
    ops_port: u16,
    http: Client,
    process: Guarded,
    log: std::path::PathBuf,
}

impl Balancer {
    /// Starts a balancer in front of the processes that listen, or will listen, on these ports of
    /// loopback. Its log is in `dir`.
    pub fn start(servers: [u16; 2], dir: &Path) -> Result<Balancer> {
        let (port, ops_port) = (ports::free()?, ports::free()?);
        let at = |port: u16| format!("127.0.0.1:{port}");
        let [first, second] = servers;
        let variables = [
            ("BALANCER", at(port)),
            ("BALANCER_OPS", at(ops_port)),
            ("ORDER_MANAGEMENT_1", at(first)),
            ("ORDER_MANAGEMENT_2", at(second)),
        ];
        let log = dir.join("balancer.log");
        let process = Guarded::start(&Program {
            path: installed::haproxy()?,
            arguments: ["-db".into(), "-f".into(), workspace().join("deploy/haproxy.cfg").into()]
                .into(),
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            environment: Environment::Inherited,
            log: log.clone(),
            user: None,
            stop_signal: Signal::SIGKILL,
        })?;
        Ok(Balancer { port, ops_port, http: crate::http_client::local(), process, log })
    }

    /// The address of a path of the API behind the balancer.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Waits until the balancer counts this many of the two servers as up.
    pub async fn sees_ready(&self, wanted: usize) -> Result<()> {
        let what = format!("{wanted} of two servers to be up for the balancer");
        let seen = wait_for(&what, HEALTH_TIMEOUT, async || {
            let rows = self.rows().await?;
            let up = rows.iter().filter(|row| self.is_up(row)).count();
            anyhow::ensure!(up == wanted, "{up} are up");
            anyhow::Ok(())
        });
        seen.await.with_context(|| self.story())
    }

    /// The sum of a column of the balancer's statistics over both servers, such as `wretr` for
    /// retried requests.
    pub async fn sum(&self, column: &str) -> Result<u64> {
        let rows = self.rows().await?;
        let servers = rows.iter().filter(|row| row.get("pxname").is_some_and(|n| n == BACKEND));
        let servers = servers.filter(|row| row.get("svname").is_some_and(|n| n != "BACKEND"));
        Ok(servers.filter_map(|row| row.get(column)?.parse::<u64>().ok()).sum())
    }

    /// The end of the balancer's log.
    pub fn story(&self) -> String {
        log_file::tail(&self.log, 40)
    }

    fn is_up(&self, row: &BTreeMap<String, String>) -> bool {
        let checked = row.get("svname").is_some_and(|name| name == "om1" || name == "om2");
        // `UP 1/2` means going down: such a server still gets requests.
        checked && row.get("status").is_some_and(|status| status.starts_with("UP"))
    }

    async fn rows(&self) -> Result<Vec<BTreeMap<String, String>>> {
        anyhow::ensure!(self.process.exit_status().is_none(), "the balancer has ended");
        let url = format!("http://127.0.0.1:{}/;csv", self.ops_port);
        let text = self.http.get(url).send().await?.text().await?;
        let mut lines = text.lines();
        let names = lines.next().context("no statistics")?.trim_start_matches("# ").split(',');
        let names: Vec<&str> = names.collect();
        let row = |line: &str| {
            let cells = line.split(',').map(str::to_owned);
            names.iter().map(|name| (*name).to_owned()).zip(cells).collect()
        };
        Ok(lines.map(row).collect())
    }
}

const BACKEND: &str = "order_management";
