//! The real executables of the services, built as this executable was built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

/// Built at most once by each process that asks.
static BUILT: OnceLock<Result<Binaries, String>> = OnceLock::new();

/// Where the services' executables are.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// Takes orders and settles them.
    pub order_management: PathBuf,
    /// Charges them.
    pub payment_processor: PathBuf,
    /// Holds the books against each other.
    pub auditor: PathBuf,
    /// Stores log lines.
    pub log_collector: PathBuf,
}

impl Binaries {
    /// Those in one directory, whoever built them.
    pub fn in_dir(dir: &Path) -> Binaries {
        Binaries {
            order_management: dir.join("order-management"),
            payment_processor: dir.join("payment-processor"),
            auditor: dir.join("auditor"),
            log_collector: dir.join("log-collector"),
        }
    }
}

/// Builds the services, if they are not fresh, in the profile and target directory of the running
/// executable.
pub async fn fresh() -> Result<&'static Binaries> {
    let built = tokio::task::spawn_blocking(|| {
        BUILT.get_or_init(|| build().map_err(|error| format!("{error:?}")))
    });
    built.await?.as_ref().map_err(|story| anyhow!("build the services: {story}"))
}

fn build() -> Result<Binaries> {
    let running = std::env::current_exe()?;
    let profile_dir = profile_dir(&running).context("where is the target directory?")?;
    let target_dir = profile_dir.parent().context("where is the target directory?")?;
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

/// `target/debug` for `target/debug/deps/some_test` and for `target/debug/ordermill-local`.
fn profile_dir(executable: &Path) -> Option<&Path> {
    let dir = executable.parent()?;
    if dir.ends_with("deps") { dir.parent() } else { Some(dir) }
}

fn profile_name(profile_dir: &Path) -> Result<&str> {
    let name = profile_dir.file_name().and_then(|name| name.to_str());
    name.map(|name| if name == "debug" { "dev" } else { name }).context("which profile is this?")
}

/// The directory of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
