//! Erlang's port mapper, one for each node, in the foreground and on a port of its own.
//!
//! By default RabbitMQ starts one that all nodes on the machine share and that never ends. The test
//! kit could neither stop a shared port mapper safely nor leave it running.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;
use tokio::net::TcpStream;

use crate::eventually::wait_for;
use crate::watchdog::{Environment, Guarded, Program};
use crate::{installed, ports};

const START_DEADLINE: Duration = Duration::from_secs(20);

/// A running port mapper. Drop it after the node: a node that misses it starts another.
#[derive(Debug)]
pub(crate) struct Epmd {
    port: u16,
    _process: Guarded,
}

impl Epmd {
    /// Starts a port mapper on a free port and waits until it answers; a node that starts earlier
    /// would start its own.
    pub(crate) async fn start(dir: &Path) -> Result<Epmd> {
        let port = ports::free()?;
        let process = Guarded::start(&Program {
            path: installed::epmd()?,
            arguments: ["-address", "127.0.0.1", "-port", &port.to_string()].map(Into::into).into(),
            variables: Vec::new(),
            environment: Environment::Inherited,
            log: dir.join("epmd.log"),
            user: None,
            stop_signal: Signal::SIGKILL,
        })?;
        let answers = async || TcpStream::connect(("127.0.0.1", port)).await;
        wait_for("epmd to answer", START_DEADLINE, answers).await?;
        Ok(Epmd { port, _process: process })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}
