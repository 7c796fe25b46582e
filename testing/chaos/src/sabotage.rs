//! `make chaos-sabotage`: a test of the checker. Each sabotage is the source with one line made
//! wrong on purpose, built and run through a short campaign, in which one of the checks named with
//! the sabotage has to fail.

mod list;
mod spec;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::campaign::campaign;
use super::plan::Plan;
use super::progress::say;
use testkit::binaries::workspace;

pub use list::ALL;
pub use spec::Sabotage;

/// Duration of the faults in each campaign.
const LASTS: Duration = Duration::from_secs(40);
/// Bound for the orders to end, of which some never will.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Builds and tries every sabotage whose name contains `name`.
///
/// # Errors
/// If a sabotage can't be built, or none of its checks catches it.
pub(super) async fn try_all(name: &str, seed: u64) -> Result<()> {
    let chosen: Vec<&Sabotage> = ALL.iter().filter(|s| s.name.contains(name)).collect();
    ensure!(!chosen.is_empty(), "no sabotage is named {name:?}");
    let mut missed = Vec::new();
    for sabotage in chosen {
        say(&format!("\n{}: {}", sabotage.name, sabotage.file));
        let wanted = *sabotage;
        let binaries = tokio::task::spawn_blocking(move || build(&wanted)).await??;
        let plan = Plan {
            faults: sabotage.faults.to_vec(),
            binaries: Some(binaries),
            drain_timeout: DRAIN_TIMEOUT,
            ..Plan::new(seed, LASTS)
        };
        let verdict = campaign(plan).await?.verdict;
        let broken = verdict.broken();
        say(&format!("{}: broken {}", sabotage.name, broken.join(", ")));
        if !sabotage.caught_by.iter().any(|check| broken.iter().any(|found| found == check)) {
            missed.push(format!(
                "{} (should be {})",
                sabotage.name,
                sabotage.caught_by.join(" or ")
            ));
        }
    }
    ensure!(missed.is_empty(), "not caught: {}", missed.join(", "));
    say("\nevery sabotage was caught");
    Ok(())
}

/// Builds the services from a copy of the workspace with this line made wrong, and returns their
/// directory.
fn build(sabotage: &Sabotage) -> Result<PathBuf> {
    let dir = workspace().join("target/sabotage");
    let tree = dir.join("tree");
    copy_sources(&tree)?;
    let file = tree.join(sabotage.file);
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, sabotage.applied(&text)?)?;
    let target = dir.join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--workspace", "--locked"]);
    cargo.args(["--bin", "order-management", "--bin", "payment-processor", "--bin", "auditor"]);
    // The wrong line may leave an item unused.
    cargo.env("RUSTFLAGS", "-Awarnings").arg("--target-dir").arg(&target).current_dir(&tree);
    let output = cargo.output().context("run cargo")?;
    if !output.status.success() {
        bail!("{}: {}", sabotage.name, String::from_utf8_lossy(&output.stderr));
    }
    Ok(target.join("debug"))
}

/// Copies every source. An unchanged file keeps its modification time, so that cargo rebuilds
/// little.
fn copy_sources(tree: &Path) -> Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace())
        .output()
        .context("run git")?;
    ensure!(listed.status.success(), "git does not list the sources");
    for path in String::from_utf8(listed.stdout)?.lines() {
        let (from, to) = (workspace().join(path), tree.join(path));
        let Ok(bytes) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        let dir = to.parent().context("a file is in a directory")?;
        std::fs::create_dir_all(dir)?;
        std::fs::write(&to, bytes).with_context(|| format!("write {}", to.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sabotage_finds_its_line_exactly_once() {
        for sabotage in ALL {
            let text = std::fs::read_to_string(workspace().join(sabotage.file)).unwrap();
            sabotage.applied(&text).unwrap();
        }
    }
}
