//! How a process of ours begins: its arguments, its settings, and what they have in common.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::crash_point;
use super::env::{Env, Setting, WrongSettings};
use super::ops_server::ask_ready;
use super::telemetry::LogFormat;

const BIND_ADDRESS: Setting = Setting {
    name: "BIND_ADDRESS",
    unit: "IP address",
    help: "Where the process listens; 0.0.0.0 takes connections from other machines too.",
};
const OPS_PORT: Setting = Setting {
    name: "OPS_PORT",
    unit: "TCP port",
    help: "Serves /health/live, /health/ready and /metrics; 0 takes any free port.",
};
const LOG_FORMAT: Setting = Setting {
    name: "LOG_FORMAT",
    unit: "auto, text or json",
    help: "How log lines look; auto is text on a terminal and JSON otherwise.",
};
/// Read by env_logger itself, and declared so that it stands in `--help`.
const RUST_LOG: Setting = Setting {
    name: "RUST_LOG",
    unit: "env_logger filter",
    help: "What is logged, such as warn or info,db=debug. Libraries say only warnings unless named.",
};
const DRAIN_TIMEOUT: Setting = Setting {
    name: "DRAIN_TIMEOUT_MS",
    unit: "milliseconds",
    help: "How long work in hand may go on after SIGTERM; what is left then goes back.",
};

/// What every process of ours can be told.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// Where it listens.
    pub bind_address: IpAddr,
    /// The port for operators.
    pub ops_port: u16,
    /// How log lines look.
    pub log_format: LogFormat,
    /// How long work in hand may go on after the stop.
    pub drain: Duration,
}

impl ProcessSettings {
    /// Reads them.
    pub fn read(env: &mut Env, ops_port: u16) -> ProcessSettings {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        env.text(&RUST_LOG, "info");
        ProcessSettings {
            bind_address: env.parsed(&BIND_ADDRESS, (loopback, "127.0.0.1"), |text| {
                text.parse().map_err(|_| "an IP address such as 127.0.0.1 or 0.0.0.0".to_owned())
            }),
            ops_port: env.number(&OPS_PORT, ops_port, 0..=u16::MAX),
            log_format: env.parsed(&LOG_FORMAT, (LogFormat::Auto, "auto"), LogFormat::parse),
            drain: env.millis(&DRAIN_TIMEOUT, 10_000, 0..=3_600_000),
        }
    }
}

impl ProcessSettings {
    /// Takes a port before anything is started that would have to be stopped again.
    ///
    /// # Errors
    /// With the setting's name, if the port cannot be had.
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

/// How long a client may leave unread what it was sent, or be gone without a word. The kernel looks
/// at growing distances, so that it is left within half as long again.
const CLIENT_SILENCE: Duration = Duration::from_secs(20);
/// Between two questions to a silent client whether it is still there.
const CLIENT_PROBE: Duration = Duration::from_secs(10);

/// Every connection that is accepted inherits this. Without it a client that asks and never reads
/// would keep its connection, and what is buffered for it, for ever: nothing above the kernel
/// bounds a write.
fn bound_silence(listener: &TcpListener) -> std::io::Result<()> {
    let socket = SockRef::from(listener);
    let keepalive = TcpKeepalive::new().with_time(CLIENT_SILENCE).with_interval(CLIENT_PROBE);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(CLIENT_SILENCE))?;
    Ok(())
}

/// Why a process does not begin.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// It was told something it cannot use.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// It was called with arguments it does not know.
    #[error("unknown argument {given:?}: there are --help, --version, {known}")]
    Argument {
        /// The argument.
        given: String,
        /// Which words there are.
        known: String,
    },
    /// `healthcheck`: the process on the operators' port is not ready.
    #[error("not ready: {0}")]
    NotReady(#[from] std::io::Error),
}

/// What a process was called with.
#[derive(Debug)]
pub struct Begun<C> {
    /// Its settings.
    pub config: C,
    /// One of the commands it knows, and what stands behind it; empty if it is to be the service.
    pub command: Vec<String>,
}

/// Reads the arguments and the environment. `commands` are the words that may stand first and are
/// not known here. `None` if all that was asked for is done already (`--help`, `--version`,
/// `healthcheck`).
///
/// # Errors
/// See [`NotBegun`].
pub fn begin<C: AsRef<ProcessSettings>>(
    about: &str,
    commands: &[&str],
    read: impl FnOnce(&mut Env) -> C,
) -> Result<Option<Begun<C>>, NotBegun> {
    let command: Vec<String> = std::env::args().skip(1).collect();
    let mut env = Env::of_process();
    let config = read(&mut env);
    crash_point::arm(&mut env);
    match command.first().map(String::as_str) {
        None => {
            env.finish()?;
            Ok(Some(Begun { config, command }))
        }
        Some(known) if commands.contains(&known) => {
            // Whoever wants to know how it is called may have nothing set yet.
            if !command.iter().any(|word| is_help(word)) {
                env.finish()?;
            }
            Ok(Some(Begun { config, command }))
        }
        Some("healthcheck") => {
            env.finish()?;
            let process = config.as_ref();
            ask_ready(SocketAddr::new(process.bind_address, process.ops_port))?;
            Ok(None)
        }
        Some("--version" | "-V") => print(concat!("ordermill ", env!("CARGO_PKG_VERSION"))),
        Some(help) if is_help(help) => {
            print(&format!("{about}\n\nSettings (environment variables):\n{}", env.help()))
        }
        Some(other) => {
            let known = ["healthcheck"].iter().chain(commands).copied().collect::<Vec<_>>();
            Err(NotBegun::Argument { given: other.to_owned(), known: known.join(", ") })
        }
    }
}

/// Whether a word asks how a program is called.
pub fn is_help(word: &str) -> bool {
    matches!(word, "--help" | "-h")
}

#[expect(clippy::print_stdout, clippy::unnecessary_wraps, reason = "the answer to --help")]
fn print<C>(text: &str) -> Result<Option<Begun<C>>, NotBegun> {
    println!("{text}");
    Ok(None)
}
