//! The real executables of the services, built as this executable was built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// Built at most once by each process that asks.
static BUILT: OnceLock<Result<Binaries, String>> = OnceLock::new();

/// The paths of the programs.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// Takes orders and settles them.
    pub order_management: PathBuf,
    /// Charges them.
    pub payment_processor: PathBuf,
    /// Compares orders, payments and ledger.
    pub auditor: PathBuf,
    /// Stores log lines.
    pub log_collector: PathBuf,
}

impl Binaries {
    /// The programs in a directory.
    pub fn in_dir(dir: &Path) -> Binaries {
        Binaries {
            order_management: dir.join("order-management"),
            payment_processor: dir.join("payment-processor"),
            auditor: dir.join("auditor"),
            log_collector: dir.join("log-collector"),
        }
    }
}

/// The services' executables in the profile directory of the running executable. A test builds them
/// first, unless they are fresh; a program (`ordermill-local`, …) uses those beside it, which the command
/// that built the program has built as well.
pub async fn fresh() -> Result<&'static Binaries> {
    let built = tokio::task::spawn_blocking(|| {
        BUILT.get_or_init(|| find_or_build().map_err(|error| format!("{error:?}")))
    });
    built.await?.as_ref().map_err(|story| anyhow!("the services' executables: {story}"))
}

fn find_or_build() -> Result<Binaries> {
    let running = std::env::current_exe()?;
    let dir = running.parent().context("find the directory of the running executable")?;
    match dir.parent() {
        // Tests are in `target/debug/deps`, programs in `target/debug`.
        Some(profile_dir) if dir.ends_with("deps") => build(profile_dir),
        _ => find(dir),
    }
}

fn find(dir: &Path) -> Result<Binaries> {
    let binaries = Binaries::in_dir(dir);
    // The collector is no part of the local stack.
    for path in [&binaries.order_management, &binaries.payment_processor, &binaries.auditor] {
        ensure!(path.is_file(), "{} does not exist; build with `make`", path.display());
    }
    Ok(binaries)
}

fn build(profile_dir: &Path) -> Result<Binaries> {
    let target_dir = profile_dir.parent().context("find the target directory")?;
    // The whole workspace decides the features, as it does in `make test`; with only these
    // packages named, half the dependencies would be built once more.
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--workspace", "--profile", profile_name(profile_dir)?]);
    for program in ["order-management", "payment-processor", "auditor", "log-collector"] {
        cargo.args(["--bin", program]);
    }
    cargo.arg("--target-dir").arg(target_dir).current_dir(workspace());
    let output = cargo.output().context("run cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Binaries::in_dir(profile_dir))
}

fn profile_name(profile_dir: &Path) -> Result<&str> {
    let name = profile_dir.file_name().and_then(|name| name.to_str());
    name.map(|name| if name == "debug" { "dev" } else { name }).context("which profile is this?")
}

/// The directory of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
