//! Prometheus with the shipped rules.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::program::{flag, start};
use super::scrape_targets::ScrapeTargets;
use crate::eventually::wait_for;
use crate::fail::OrFail;
use crate::scratch_dir::ScratchDir;
use crate::watchdog::Guarded;
use crate::{installed, log_file, ports};

/// Bound of a start, which takes a second on an idle machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// A running Prometheus. Dropping it kills it.
#[derive(Debug)]
pub struct Prometheus {
    pub(super) port: u16,
    pub(super) http: reqwest::Client,
    process: Guarded,
    log: PathBuf,
    _dir: ScratchDir,
}

impl Prometheus {
    /// Starts a Prometheus without targets. Panics if it can't be started.
    pub async fn alone() -> Prometheus {
        Prometheus::start(&ScrapeTargets::default()).await.or_fail("start Prometheus")
    }

    pub(super) async fn start(targets: &ScrapeTargets) -> Result<Prometheus> {
        let dir = ScratchDir::new()?;
        let port = ports::free()?;
        let settings = dir.path().join("prometheus.yml");
        std::fs::write(&settings, targets.prometheus(port)?)?;
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
        let http = crate::http_client::local();
        let prometheus = Prometheus { port, http, process, log, _dir: dir };
        let ready = wait_for("Prometheus to be ready", START_DEADLINE, async || {
            prometheus.get::<serde_json::Value>("status/runtimeinfo").await
        });
        ready.await.with_context(|| prometheus.story())?;
        Ok(prometheus)
    }

    /// The exit status, if Prometheus has ended, and the end of its log.
    pub fn story(&self) -> String {
        let ended = self.process.exit_status().map(|status| format!("it has ended, {status}; "));
        format!("{}{}", ended.unwrap_or_default(), log_file::tail(&self.log, 20))
    }
}
