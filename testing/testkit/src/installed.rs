//! The paths of the installed servers and tools.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Directories in which packages keep one directory per version of PostgreSQL.
const POSTGRES_ROOTS: [&str; 4] =
    ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];

/// Directories of the scripts that, unlike the scripts on the path, run as any user.
const RABBITMQ_DIRS: [&str; 3] = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin"];

const HINT: &str = "scripts/install installs it";

/// The directory with `initdb` and `postgres`, of the newest version or of `major`: only the major
/// version that created a data directory can open it.
pub fn postgres(major: Option<u32>) -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = POSTGRES_ROOTS.iter().flat_map(versions_below).collect();
    found.retain(|(version, _)| major.is_none_or(|wanted| wanted == *version));
    if let Some((_, bin)) = found.into_iter().max() {
        return Ok(bin);
    }
    if let Some(wanted) = major {
        bail!("PostgreSQL {wanted} created this data and is not installed");
    }
    let initdb = on_path("initdb").with_context(|| format!("no PostgreSQL server; {HINT}"))?;
    Ok(directory_of(&initdb))
}

/// The directory with RabbitMQ's own scripts. The scripts on the path are usually wrappers that
/// require the system's user; an original script has `rabbitmq-env` beside it.
pub fn rabbitmq() -> Result<PathBuf> {
    let known = RABBITMQ_DIRS.iter().map(PathBuf::from);
    let named = on_path("rabbitmq-server").map(|script| directory_of(&script));
    let real = |dir: &PathBuf| dir.join("rabbitmq-env").exists() && is_server(dir);
    named.into_iter().chain(known).find(real).with_context(|| format!("no RabbitMQ; {HINT}"))
}

/// Erlang's port mapper.
pub fn epmd() -> Result<PathBuf> {
    let beside_erl = || on_path("erl").map(|erl| directory_of(&erl).join("epmd"));
    on_path("epmd").or_else(beside_erl).with_context(|| format!("no Erlang; {HINT}"))
}

/// HAProxy.
pub fn haproxy() -> Result<PathBuf> {
    let known = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].map(PathBuf::from);
    let installed = on_path("haproxy").or_else(|| known.into_iter().find(|file| file.is_file()));
    installed.context("no HAProxy; `scripts/install haproxy` installs it")
}

/// Prometheus.
pub fn prometheus() -> Result<PathBuf> {
    program(&["prometheus"])
}

/// The tool that checks and tests Prometheus's rules.
pub fn promtool() -> Result<PathBuf> {
    program(&["promtool"])
}

/// Alertmanager, which Debian names after Prometheus.
pub fn alertmanager() -> Result<PathBuf> {
    program(&["prometheus-alertmanager", "alertmanager"])
}

/// Alertmanager's tool that checks its settings.
pub fn amtool() -> Result<PathBuf> {
    program(&["amtool"])
}

/// PostgreSQL's exporter for Prometheus.
pub fn postgres_exporter() -> Result<PathBuf> {
    program(&["prometheus-postgres-exporter", "postgres_exporter"])
}

/// The mail server of the tests.
pub fn aiosmtpd() -> Result<PathBuf> {
    program(&["aiosmtpd"])
}

/// The first of these names that is on the path.
fn program(names: &[&str]) -> Result<PathBuf> {
    let found = names.iter().find_map(|name| on_path(name));
    found.with_context(|| format!("none of {names:?}; `scripts/install for-tests` installs them"))
}

/// The versions below `root`: `15/bin`, `pgsql-16/bin`, `postgresql@17/bin`.
fn versions_below(root: &&str) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let version = |dir: &Path| {
        let name = dir.file_name()?.to_str()?;
        let number = name.trim_start_matches("pgsql-").trim_start_matches("postgresql@");
        let bin = dir.join("bin");
        bin.join("initdb").exists().then_some(())?;
        Some((number.parse().ok()?, bin))
    };
    entries.flatten().filter_map(|entry| version(&entry.path())).collect()
}

fn is_server(dir: &Path) -> bool {
    let script = dir.join("rabbitmq-server").canonicalize();
    script.is_ok_and(|script| script.ends_with("rabbitmq-server"))
}

/// The directory of a program. Symbolic links are followed, to find the files installed beside the
/// program.
fn directory_of(program: &Path) -> PathBuf {
    let program = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    program.parent().map(Path::to_owned).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the search path is not a setting of the services")]
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
