//! `.local/`: what stays from one run to the next.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::say;
use crate::eventually::wait_for;
use crate::server_user::ServerUser;
use crate::{binaries, ports, watchdog};

/// Watchdogs of a run that was killed need ten seconds at most.
const LEFTOVERS_DEADLINE: Duration = Duration::from_secs(30);

const LOCK_DEADLINE: Duration = Duration::from_secs(2);

/// For root's PostgreSQL, whose user may not enter every directory that root's projects are in.
const SYSTEM_DIR: &str = "/var/lib/ordermill";

/// The directory, ours until it is dropped.
pub(super) struct Home {
    dir: PathBuf,
    ports: BTreeMap<String, u16>,
    _lock: File,
}

impl Home {
    /// Makes it if it is not there, and waits until nothing of an earlier run that was killed uses
    /// it any more. An error if another process uses it now.
    pub(super) async fn enter() -> Result<Home> {
        let dir = binaries::workspace().canonicalize()?.join(".local");
        std::fs::create_dir_all(dir.join("logs")).with_context(|| format!("make {dir:?}"))?;
        std::fs::set_permissions(&dir, Permissions::from_mode(0o755))?;
        let lock = lock(&dir.join("lock")).await?;
        let linked = dir.join("postgres").canonicalize().unwrap_or_else(|_| dir.clone());
        let in_use = || watchdog::guards(&dir) || watchdog::guards(&linked);
        if in_use() {
            say("the last run was killed; waiting until its servers are gone");
        }
        let what = "the servers of the last run to be gone";
        wait_for(what, LEFTOVERS_DEADLINE, async || !in_use()).await?;
        Ok(Home { ports: read_ports(&dir), dir, _lock: lock })
    }

    /// The port that this name had in the last run, if it is still free, else a free one.
    pub(super) fn port(&mut self, name: &str) -> Result<u16> {
        let port = match self.ports.get(name) {
            Some(last) => ports::free_or(*last)?,
            None => ports::free()?,
        };
        self.ports.insert(name.to_owned(), port);
        let lines: String = self.ports.iter().map(|(name, p)| format!("{name} {p}\n")).collect();
        std::fs::write(self.dir.join("ports"), lines).context("remember the ports")?;
        Ok(port)
    }

    /// The log file of one service, emptied.
    pub(super) fn log(&self, name: &str) -> Result<PathBuf> {
        let path = self.logs().join(format!("{name}.log"));
        File::create(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(path)
    }

    /// The directory of all log files.
    pub(super) fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// The file with the key of the requests' signatures. A key is made before RabbitMQ's first start;
    /// an installation that has messages already, and no key, goes on with an empty file.
    pub(super) fn signing_key(&self) -> Result<PathBuf> {
        let path = self.dir.join("signing-key");
        if !path.exists() {
            let new = !self.rabbitmq().exists();
            let half = || format!("{:032x}", rand::random::<u128>());
            let key = if new { half() + &half() } else { String::new() };
            let mut file =
                OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
            file.write_all(key.as_bytes()).context("write the key of signatures")?;
        }
        Ok(path)
    }

    /// RabbitMQ's directory.
    pub(super) fn rabbitmq(&self) -> PathBuf {
        self.dir.join("rabbitmq")
    }

    /// PostgreSQL's directory: below this one, or linked from here if PostgreSQL's user can't get
    /// here.
    pub(super) fn postgres(&self) -> Result<PathBuf> {
        let here = self.dir.join("postgres");
        let reachable = ServerUser::instead_of_root()?.is_none_or(|user| user.reaches(&here));
        if reachable && !here.is_symlink() {
            return Ok(here);
        }
        let mut hasher = DefaultHasher::new();
        here.hash(&mut hasher);
        let elsewhere = Path::new(SYSTEM_DIR).join(format!("{:016x}", hasher.finish()));
        std::fs::create_dir_all(SYSTEM_DIR).context("make a directory for PostgreSQL")?;
        std::fs::set_permissions(SYSTEM_DIR, Permissions::from_mode(0o755))?;
        if !here.is_symlink() {
            symlink(&elsewhere, &here).context("link to PostgreSQL's directory")?;
        }
        Ok(elsewhere)
    }
}

/// Locks the file for as long as it is open, and writes the process's number into it. A process that
/// was killed a moment ago may still hold the lock.
async fn lock(path: &Path) -> Result<File> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let locked = wait_for("the lock of .local", LOCK_DEADLINE, async || match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(path).unwrap_or_default();
            Err(anyhow!("Ordermill is running here already, as process {}", holder.trim()))
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    });
    locked.await.map_err(|not_seen| anyhow!("{}; end that first", not_seen.last_seen))?;
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

fn read_ports(dir: &Path) -> BTreeMap<String, u16> {
    let text = std::fs::read_to_string(dir.join("ports")).unwrap_or_default();
    let line = |line: &str| {
        let (name, port) = line.split_once(' ')?;
        Some((name.to_owned(), port.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}
