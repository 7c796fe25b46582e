//! The start of a program: its command line, its settings, and what every program has of both.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use clap::{Parser, Subcommand};
use socket2::{SockRef, TcpKeepalive};
use telemetry::LogFormat;

use crate::crash_point::{self, CrashPoint};
use crate::env::{Env, InvalidSettings, Setting};
use crate::ops_server::ask_live;

const BIND_ADDRESS: Setting = Setting {
    name: "BIND_ADDRESS",
    unit: "IP address",
    help: "Address the process listens on; 0.0.0.0 accepts connections from other machines too.",
};
const OPS_PORT: Setting = Setting {
    name: "OPS_PORT",
    unit: "TCP port",
    help: "Serves /health/live, /health/ready and /metrics; 0 takes any free port.",
};
const LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    unit: "auto, text or json",
    help: "Format of log lines; auto is text on a terminal and JSON otherwise.",
};
/// Read by env_logger itself, and declared so that `--help` lists it.
const RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    unit: "env_logger filter",
    help: "Filter of log lines, such as warn or info,db=debug. Libraries log only warnings unless \
           named.",
};
const DRAIN_TIMEOUT: Setting = Setting {
    name: "DRAIN_TIMEOUT_MS",
    unit: "milliseconds",
    help: "Time for work in flight to end after SIGTERM; the rest is then requeued.",
};

/// Settings that every program has.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// The address to listen on.
    pub bind_address: IpAddr,
    /// The port of the ops server.
    pub ops_port: u16,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// Time for work in flight to end after the stop.
    pub drain: Duration,
}

impl ProcessSettings {
    /// Reads them; `ops_port` is the default of the program's ops port.
    pub fn read(env: &mut Env, ops_port: u16) -> ProcessSettings {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        env.text(&RUST_LOG, "info");
        ProcessSettings {
            bind_address: env.parsed(BIND_ADDRESS.with_default(loopback, "127.0.0.1"), |text| {
                text.parse().map_err(|_| "an IP address such as 127.0.0.1 or 0.0.0.0".to_owned())
            }),
            ops_port: env.number(&OPS_PORT, ops_port, 0..=u16::MAX),
            log_format: env
                .parsed(LOG_FORMAT.with_default(LogFormat::Auto, "auto"), LogFormat::parse),
            drain: env.millis(&DRAIN_TIMEOUT, 10_000, 0..=3_600_000),
        }
    }

    /// Binds a port before anything is started that would have to be stopped again.
    ///
    /// # Errors
    /// With the setting's name, if the port is not available.
    pub fn listen(&self, setting: &str, port: u16) -> std::io::Result<TcpListener> {
        let address = SocketAddr::new(self.bind_address, port);
        let named = |e: std::io::Error| {
            std::io::Error::new(e.kind(), format!("{setting}: cannot listen on {address}: {e}"))
        };
        let listener = TcpListener::bind(address).map_err(named)?;
        bound_silence(&listener)?;
        Ok(listener)
    }
}

/// Time after which a client that neither reads nor answers is disconnected. The kernel probes at
/// growing intervals, so the connection ends within half as long again.
const CLIENT_SILENCE: Duration = Duration::from_secs(20);
/// Interval between two keepalive probes to a silent client.
const CLIENT_PROBE: Duration = Duration::from_secs(10);

/// Sets the bounds that every accepted connection inherits. Without them a client that sends
/// requests and never reads would keep its connection and its buffered answers for ever: nothing
/// above the kernel bounds a write.
fn bound_silence(listener: &TcpListener) -> std::io::Result<()> {
    let socket = SockRef::from(listener);
    let keepalive = TcpKeepalive::new().with_time(CLIENT_SILENCE).with_interval(CLIENT_PROBE);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(CLIENT_SILENCE))?;
    Ok(())
}

/// Commands that every program has.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CommonCommand {
    /// Asks the process on OPS_PORT whether it lives
    Healthcheck,
}

impl CommonCommand {
    /// Does what the command says. Blocks, for a few seconds at most.
    ///
    /// # Errors
    /// If the process on the ops port does not answer.
    pub fn run(self, process: &ProcessSettings) -> Result<(), NotLive> {
        match self {
            CommonCommand::Healthcheck => {
                Ok(ask_live(SocketAddr::new(process.bind_address, process.ops_port))?)
            }
        }
    }
}

/// The process on the ops port does not answer.
#[derive(Debug, thiserror::Error)]
#[error("it does not answer: {0}")]
pub struct NotLive(#[from] std::io::Error);

/// The command line and the settings of a process.
#[derive(Debug)]
pub struct Invocation<A, C> {
    /// The command line.
    pub args: A,
    /// The settings.
    pub config: C,
}

/// Reads the command line and the environment. Exits if the command line asks for help or for the
/// version, or is wrong. `crash_points` are the points that the program can reach.
///
/// # Errors
/// If a setting is wrong: all of those that are.
pub fn parse_args<A: Parser, C>(
    crash_points: &[&[CrashPoint]],
    read: impl FnOnce(&mut Env) -> C,
) -> Result<Invocation<A, C>, InvalidSettings> {
    let mut env = Env::of_process();
    let config = read(&mut env);
    crash_point::arm(&mut env, crash_points);
    let help = format!("Settings (environment variables):\n{}", env.help());
    let matches = A::command().after_help(help).get_matches();
    let args = A::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    env.finish()?;
    Ok(Invocation { args, config })
}
