//! A PostgreSQL server with its own data and port, and the default durability.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

use crate::eventually::wait_for;
use crate::server_user::ServerUser;
use crate::watchdog::{Environment, Guarded, Program};
use crate::{cluster, log_file, ports, process_table};

pub use crate::cluster::{PASSWORD, USER};

const MAX_CONNECTIONS: u32 = 200;
/// Bound of a start, which includes recovery from a crash under load on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const LOG_LINES: usize = 20;

/// A running (or killed, or stopped) server. Dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    dir: PathBuf,
    port: u16,
    bin: PathBuf,
    user: Option<ServerUser>,
    server: Mutex<Option<Arc<Guarded>>>,
}

impl Postgres {
    /// Starts a server on a free port with the data in `dir`, or with a new cluster there, and
    /// waits until it answers.
    pub async fn start(dir: &Path) -> Result<Postgres> {
        Postgres::start_on(dir, ports::free()?).await
    }

    /// [`Postgres::start`] on a given port.
    pub async fn start_on(dir: &Path, port: u16) -> Result<Postgres> {
        let user = ServerUser::instead_of_root()?;
        let at = dir.to_owned();
        let bin = tokio::task::spawn_blocking(move || cluster::prepare(&at, user)).await??;
        let postgres = Postgres { dir: dir.to_owned(), port, bin, user, server: Mutex::default() };
        postgres.start_again().await?;
        Ok(postgres)
    }

    /// The port on 127.0.0.1; the same for the server's whole life.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of the postmaster, while it runs.
    pub fn pid(&self) -> Option<Pid> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_ref().filter(|server| server.exit_status().is_none()).map(|server| server.pid())
    }

    /// The path of the server's log.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The URL of one database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The connection settings for one database.
    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(USER).password(PASSWORD).dbname(database);
        config.connect_timeout(Duration::from_secs(5));
        config
    }

    /// Creates an empty database. `name` is a plain lower-case word.
    pub async fn create_database(&self, name: &str) -> Result<()> {
        let statement = format!("create database {name}");
        batch(&self.config("postgres"), &statement).await.with_context(|| statement)
    }

    /// Creates a database unless one with this name exists.
    pub async fn ensure_database(&self, name: &str) -> Result<()> {
        let statement = format!("create database {name}");
        match batch(&self.config("postgres"), &statement).await {
            Err(error) if error.code() != Some(&SqlState::DUPLICATE_DATABASE) => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes a database and cuts its connections.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        let statement = format!("drop database {name} with (force)");
        batch(&self.config("postgres"), &statement).await.with_context(|| statement)
    }

    /// Simulates a crash: kills the postmaster and all its children, so that nothing more is
    /// written. Returns when all are gone.
    pub async fn kill(&self) -> Result<()> {
        let Some(server) = self.take() else { return Ok(()) };
        // A stopped postmaster can't start another child between the listing and the kill.
        server.signal(Signal::SIGSTOP)?;
        let mut family = process_table::children_of(server.pid());
        family.push(server.pid());
        for pid in &family {
            // The kill of a process that has ended since the listing fails, which is harmless.
            kill(*pid, Signal::SIGKILL).ok();
        }
        server.wait_exit(STOP_DEADLINE).await?;
        let gone = async || !family.iter().any(|pid| process_table::is_running(*pid));
        Ok(wait_for("PostgreSQL's processes to be gone", STOP_DEADLINE, gone).await?)
    }

    /// Freezes the server with all its sessions, or continues it ([`Signal::SIGCONT`]).
    pub fn signal_all(&self, signal: Signal) -> Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        for child in process_table::children_of(pid) {
            kill(child, signal).ok();
        }
        Ok(kill(pid, signal)?)
    }

    /// Stops the server by a fast shutdown: sessions are cut, committed data is written out.
    pub async fn stop(&self) -> Result<()> {
        let Some(server) = self.take() else { return Ok(()) };
        server.signal(Signal::SIGINT)?;
        server.wait_exit(STOP_DEADLINE).await?;
        Ok(())
    }

    /// Starts the server on the same port and data, and waits until it answers.
    pub async fn start_again(&self) -> Result<()> {
        cluster::remove_stale_lock(&self.dir)?;
        let server = Arc::new(Guarded::start(&self.program())?);
        let started = wait_for("PostgreSQL to answer", START_DEADLINE, async || {
            if server.exit_status().is_some() {
                return Ok(Err("PostgreSQL ended at once"));
            }
            batch(&self.config("postgres"), "").await.map(Ok)
        });
        let story = || log_file::tail(&self.log(), LOG_LINES);
        if let Err(ended) = started.await.with_context(story)? {
            bail!("{ended}; {}", story());
        }
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    /// [`Postgres::stop`], then [`Postgres::start_again`].
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    /// True if the server has been started and has not ended.
    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    fn take(&self) -> Option<Arc<Guarded>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn program(&self) -> Program {
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            // No Unix socket: the length of its path is limited, and a project directory may be
            // longer.
            "unix_socket_directories=".to_owned(),
            format!("port={}", self.port),
            format!("max_connections={MAX_CONNECTIONS}"),
        ];
        let mut arguments: Vec<OsString> = vec!["-D".into(), self.dir.join("data").into()];
        arguments.extend(settings.iter().flat_map(|setting| ["-c".into(), setting.into()]));
        Program {
            path: self.bin.join("postgres"),
            arguments,
            variables: Vec::new(),
            environment: Environment::Inherited,
            log: self.log(),
            user: self.user,
            // Immediate shutdown: the postmaster ends its children, as after a crash.
            stop_signal: Signal::SIGQUIT,
        }
    }
}

/// Runs statements on a connection of their own, which is closed afterwards.
async fn batch(config: &Config, statements: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let work = async {
        let done = client.batch_execute(statements).await;
        drop(client);
        done
    };
    let (done, _closed) = tokio::join!(work, connection);
    done
}
