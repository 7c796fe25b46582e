//! Orders as fast as 64 clients get them answered, by `wrk`.

use anyhow::{Context, Result, bail};
use std::process::Command;

use crate::scratch_dir::ScratchDir;
use crate::world::{World, order_body};

const CONNECTIONS: &str = "-c64";

pub(super) struct Load {
    url: String,
    script: ScratchDir,
}

/// What one load came to.
pub(super) struct Accepted {
    pub(super) per_s: f64,
    pub(super) p50: String,
    pub(super) p99: String,
}

impl Load {
    pub(super) fn prepare(world: &World) -> Result<Load> {
        let script = ScratchDir::new()?;
        let body = order_body("pm_card_visa");
        let lua = format!(
            "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
             wrk.body = '{body}'\n"
        );
        std::fs::write(script.path().join("order.lua"), lua)?;
        Ok(Load { url: world.url(0, "/orders"), script })
    }

    /// One thread, 64 connections, closed loop.
    pub(super) async fn run(&self, seconds: u64) -> Result<Accepted> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", CONNECTIONS, "--latency", &format!("-d{seconds}s"), "-s"]);
        wrk.arg(self.script.path().join("order.lua")).arg(&self.url);
        let output = super::yardstick::finish(wrk).await.context("run wrk: is it installed?")?;
        if output.contains("Non-2xx") {
            bail!("orders were refused:\n{output}");
        }
        let value = |label: &str| {
            let line = output.lines().find(|line| line.trim_start().starts_with(label));
            line.and_then(|line| line.split_whitespace().last()).map(str::to_owned)
        };
        let per_s = value("Requests/sec:").context("read wrk's output")?.parse()?;
        let percentile = |label| value(label).unwrap_or_default();
        Ok(Accepted { per_s, p50: percentile("50%"), p99: percentile("99%") })
    }
}
