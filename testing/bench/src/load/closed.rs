//! Closed loop: each client sends its next order when the last one is answered. The generator is
//! `wrk`, because it needs little of the machine, which it shares with the services.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tokio::process::Command;

use super::super::program;
use testkit::number::float;
use testkit::scratch_dir::ScratchDir;
use testkit::world::World;

/// Time that `wrk` may take in addition to its load.
const GRACE: Duration = Duration::from_secs(30);

/// The clients.
#[derive(Debug)]
pub(crate) struct ClosedLoop {
    script: Arc<ScratchDir>,
    clients: u32,
}

/// The result of one load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    /// Orders answered with 201 per second.
    pub(crate) per_s: f64,
    /// Orders answered with 201.
    pub(crate) orders: f64,
    /// Time to the answer under this load, in milliseconds: median and 99th percentile.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl ClosedLoop {
    /// Writes the script of `wrk`.
    ///
    /// # Errors
    /// If `wrk` is not installed, or its script can't be written.
    pub(crate) async fn prepare(clients: u32) -> Result<ClosedLoop> {
        // `wrk --version` ends with exit code 1, so only the start of the program is checked.
        let found = Command::new("wrk").arg("--version").output().await;
        found.context("run wrk: is it installed? `scripts/install wrk` installs it")?;
        let script = ScratchDir::new()?;
        let lua = format!(
            "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
             wrk.body = '{}'\n",
            super::order::body()
        );
        std::fs::write(script.path().join("order.lua"), lua)?;
        Ok(ClosedLoop { script: Arc::new(script), clients })
    }

    /// The same loop with another number of clients.
    pub(crate) fn with_clients(&self, clients: u32) -> ClosedLoop {
        ClosedLoop { script: self.script.clone(), clients }
    }

    /// Loads all order-management processes of the world for this long, in whole seconds. The
    /// clients are divided among them.
    ///
    /// # Errors
    /// If `wrk` is not installed, or an order is refused.
    pub(crate) async fn run(&self, world: &World, long: Duration) -> Result<Accepted> {
        let is_entry = |name: &str| name.starts_with("order-management");
        let entries = world.processes().filter(|process| is_entry(process.name())).count();
        let among = u32::try_from(entries)?;
        let loads = (0..entries).map(|entry| self.one(world.url(entry, "/orders"), long, among));
        let each = try_join_all(loads).await?;
        let worst = |time: fn(&Accepted) -> f64| each.iter().map(time).fold(0.0, f64::max);
        Ok(Accepted {
            per_s: each.iter().map(|one| one.per_s).sum(),
            orders: each.iter().map(|one| one.orders).sum(),
            p50_ms: worst(|one| one.p50_ms),
            p99_ms: worst(|one| one.p99_ms),
        })
    }

    /// Loads until this many orders have been accepted, or a few more.
    ///
    /// # Errors
    /// As [`ClosedLoop::run`].
    pub(crate) async fn fill(&self, world: &World, orders: f64) -> Result<()> {
        let (mut accepted, mut seconds) = (0.0, 1);
        while accepted < orders {
            let some = self.run(world, Duration::from_secs(seconds)).await?;
            accepted += some.orders;
            let left = Duration::from_secs_f64(((orders - accepted) / some.per_s).clamp(0.0, 9.0));
            seconds = left.as_secs() + 1;
        }
        Ok(())
    }

    async fn one(&self, url: String, long: Duration, among: u32) -> Result<Accepted> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", &format!("-c{}", self.clients / among), "--latency"]);
        wrk.arg(format!("-d{}s", long.as_secs())).arg("-s");
        wrk.arg(self.script.path().join("order.lua")).arg(url);
        let output = program::finish(wrk, long + GRACE).await?;
        ensure!(!output.contains("Non-2xx"), "orders were refused:\n{output}");
        ensure!(!output.contains("Socket errors"), "connections failed:\n{output}");
        read(&output).with_context(|| format!("read wrk's output:\n{output}"))
    }
}

fn read(output: &str) -> Option<Accepted> {
    let line = |label: &str| output.lines().find(|line| line.trim_start().starts_with(label));
    let last = |label: &str| line(label)?.split_whitespace().last();
    let requests = output.lines().find(|line| line.contains(" requests in "))?;
    let orders: u64 = requests.split_whitespace().next()?.parse().ok()?;
    Some(Accepted {
        per_s: last("Requests/sec:")?.parse().ok()?,
        orders: float(orders),
        p50_ms: milliseconds(last("50%")?)?,
        p99_ms: milliseconds(last("99%")?)?,
    })
}

/// `850.00us`, `6.10ms` or `1.02s`.
fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s')?, 1_000.0)
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_wrk_is_read() {
        let output = "Running 15s test @ http://127.0.0.1:1/orders\n  1 threads and 64 connections\n\
            \x20 Latency Distribution\n     50%  850.00us\n     75%    8.21ms\n     90%   12.03ms\n\
            \x20    99%    1.02s \n  133755 requests in 15.00s, 52.81MB read\n\
            Requests/sec:   8917.01\nTransfer/sec:      3.52MB\n";
        let read = read(output).unwrap();
        let all = [read.per_s, read.orders, read.p50_ms, read.p99_ms];
        assert_eq!(all, [8917.01, 133_755.0, 0.85, 1020.0]);
    }
}
