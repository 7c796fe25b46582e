//! The data directory of a PostgreSQL server: created once, checked before each start.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;

use crate::server_user::ServerUser;
use crate::{installed, process_table};

/// The superuser, which every client uses.
pub const USER: &str = "ordermill";
/// The superuser's password: a development default for loopback only.
pub const PASSWORD: &str = "ordermill";

/// Creates `dir/data` if it does not exist, and returns the directory of the matching programs. An
/// interrupted call leaves no incomplete cluster under that name.
pub(crate) fn prepare(dir: &Path, user: Option<ServerUser>) -> Result<PathBuf> {
    let made_by = std::fs::read_to_string(dir.join("data/PG_VERSION")).ok();
    let major = made_by.as_deref().map(|text| text.trim().parse()).transpose()?;
    let bin = installed::postgres(major)?;
    if major.is_none() {
        std::fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
        if let Some(user) = user {
            user.own(dir)?;
        }
        initialise(&bin, dir, user)?;
    }
    Ok(bin)
}

fn initialise(bin: &Path, dir: &Path, user: Option<ServerUser>) -> Result<()> {
    let unfinished = dir.join("data.unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    let password = dir.join("password");
    std::fs::write(&password, PASSWORD)?;
    let mut initdb = Command::new(bin.join("initdb"));
    initdb.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--username", USER]);
    initdb.arg("--pwfile").arg(&password).arg("-D").arg(&unfinished).current_dir(dir);
    if let Some(user) = user {
        user.own(&password)?;
        initdb.uid(user.uid).gid(user.gid);
    }
    let output = initdb.output().context("run initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_file(&password)?;
    std::fs::rename(&unfinished, dir.join("data")).context("name the finished cluster")
}

/// Removes a `postmaster.pid` that a crash left behind. If another process had the same id by now,
/// PostgreSQL would refuse to start for ever.
pub(crate) fn remove_stale_lock(dir: &Path) -> Result<()> {
    let lock = dir.join("data/postmaster.pid");
    let Ok(text) = std::fs::read_to_string(&lock) else { return Ok(()) };
    let named = text.lines().next().and_then(|line| line.trim().parse().ok()).map(Pid::from_raw);
    let is_server =
        |p: &process_table::Running| Some(p.pid) == named && p.command.contains("postgres");
    if process_table::all().iter().any(is_server) {
        bail!("a PostgreSQL server is running on {} already", dir.display());
    }
    std::fs::remove_file(&lock).with_context(|| format!("remove {}", lock.display()))
}
