//! The start of a program: its command line, its settings, and what every program has of both.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Parser, Subcommand};
use telemetry::LogFormat;

use crate::allowed_hosts::AllowedHosts;
use crate::crash_point::{self, CrashPoint};
use crate::env::{Env, InvalidSettings, Setting};
use crate::listener::listen;
use crate::ops_server::ask_live;

const BIND_ADDRESS: Setting = Setting {
    name: "BIND_ADDRESS",
    unit: "IP address",
    help: "Address that PORT is served on. 0.0.0.0 accepts connections from other machines too, and \
           :: does so over IPv6 and IPv4.",
};
const OPS_BIND_ADDRESS: Setting = Setting {
    name: "OPS_BIND_ADDRESS",
    unit: "IP address",
    help: "Address that OPS_PORT is served on. The port has no password: let no one but operators \
           reach it.",
};
const OPS_ALLOWED_HOSTS: Setting = Setting {
    name: "OPS_ALLOWED_HOSTS",
    unit: "host names, separated by commas",
    help: "Names under which OPS_PORT answers, beside localhost and IP addresses; * for any.",
};
const OPS_CONNECTIONS_MAX: Setting = Setting {
    name: "OPS_CONNECTIONS_MAX",
    unit: "connections",
    help: "Maximum number of clients connected to OPS_PORT; further ones wait to be accepted.",
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
    /// The address of the ops server.
    pub ops_bind_address: IpAddr,
    /// The port of the ops server.
    pub ops_port: u16,
    /// The names under which the ops server answers.
    pub ops_hosts: AllowedHosts,
    /// Largest number of clients of the ops server.
    pub ops_connections_max: usize,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// Time for work in flight to end after the stop.
    pub drain: Duration,
}

impl ProcessSettings {
    /// Reads them; `ops_port` is the default of the program's ops port.
    pub fn read(env: &mut Env, ops_port: u16) -> ProcessSettings {
        env.text(&RUST_LOG, "info");
        let no_hosts = OPS_ALLOWED_HOSTS.with_default(AllowedHosts::default(), "");
        ProcessSettings {
            bind_address: read_address(env, BIND_ADDRESS),
            ops_bind_address: read_address(env, OPS_BIND_ADDRESS),
            ops_hosts: env.parsed(no_hosts, AllowedHosts::parse),
            ops_connections_max: env.number(&OPS_CONNECTIONS_MAX, 64, 1..=100_000),
            ops_port: env.number(&OPS_PORT, ops_port, 0..=u16::MAX),
            log_format: env
                .parsed(LOG_FORMAT.with_default(LogFormat::Auto, "auto"), LogFormat::parse),
            drain: env.millis(&DRAIN_TIMEOUT, 10_000, 0..=3_600_000),
        }
    }

    /// Listens on a port of [`ProcessSettings::bind_address`] before anything is started that would
    /// have to be stopped again.
    ///
    /// # Errors
    /// With the setting's name, if the port is not available.
    pub fn listen(&self, setting: &str, port: u16) -> std::io::Result<TcpListener> {
        listen(setting, SocketAddr::new(self.bind_address, port))
    }

    /// The same for the ops port.
    pub(crate) fn listen_ops(&self) -> std::io::Result<TcpListener> {
        listen(OPS_PORT.name, self.ops_address())
    }

    fn ops_address(&self) -> SocketAddr {
        SocketAddr::new(self.ops_bind_address, self.ops_port)
    }
}

fn read_address(env: &mut Env, setting: Setting) -> IpAddr {
    let loopback = IpAddr::from([127, 0, 0, 1]);
    env.parsed(setting.with_default(loopback, "127.0.0.1"), |text| {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse().map_err(|_| "an IP address such as 127.0.0.1, 0.0.0.0 or ::".to_owned())
    })
}

/// Invalid settings without effect, for the log.
static UNUSED_AND_WRONG: OnceLock<Vec<String>> = OnceLock::new();

/// Logs the invalid settings that have no effect, once there is a log.
pub(crate) fn report_unused_settings() {
    for setting in UNUSED_AND_WRONG.get().into_iter().flatten() {
        log::warn!("a setting that has no effect here is invalid: {}", setting.trim_start());
    }
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
            CommonCommand::Healthcheck => Ok(ask_live(process.ops_address())?),
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
    UNUSED_AND_WRONG.get_or_init(|| env.unused_and_wrong().to_vec());
    env.finish()?;
    Ok(Invocation { args, config })
}
