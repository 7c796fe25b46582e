//! `make chaos-sabotage`: is the checker any good? Each sabotage is the source with one line made
//! wrong on purpose, built and put through a short campaign. The campaign has to break, by the
//! check that is named here.

mod list;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::fault::Kind;
use super::plan::Plan;
use super::{campaign, say};
use testkit::binaries::workspace;

pub use list::ALL;

/// One line made wrong.
#[derive(Clone, Copy, Debug)]
pub struct Sabotage {
    /// Its name on the command line.
    pub name: &'static str,
    /// The file, from the workspace's directory.
    pub file: &'static str,
    /// What stands in it, once.
    pub right: &'static str,
    /// What is put in its place.
    pub wrong: &'static str,
    /// The faults under which it shows.
    faults: &'static [Kind],
    /// The checks that may find it, such as `P1 (lost)`.
    caught_by: &'static [&'static str],
}

/// How long each campaign breaks things.
const LASTS: Duration = Duration::from_secs(40);
/// How long is waited for what will never end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Builds and tries every sabotage whose name contains `name`.
///
/// # Errors
/// If one can't be built, or is not caught by a check that should have caught it.
pub(super) async fn try_all(name: &str, seed: u64) -> Result<()> {
    let chosen: Vec<&Sabotage> = ALL.iter().filter(|s| s.name.contains(name)).collect();
    ensure!(!chosen.is_empty(), "no sabotage is named {name:?}");
    let mut missed = Vec::new();
    for sabotage in chosen {
        say(&format!("\n{}: {}", sabotage.name, sabotage.file));
        let wanted = *sabotage;
        let binaries = tokio::task::spawn_blocking(move || built(&wanted)).await??;
        let plan = Plan {
            faults: sabotage.faults.to_vec(),
            binaries: Some(binaries),
            patience: PATIENCE,
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

/// The services of a copy of the workspace in which this one line is wrong.
fn built(sabotage: &Sabotage) -> Result<PathBuf> {
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
    // What is wrong on purpose may leave something unused.
    cargo.env("RUSTFLAGS", "-Awarnings").arg("--target-dir").arg(&target).current_dir(&tree);
    let output = cargo.output().context("run cargo")?;
    if !output.status.success() {
        bail!("{}: {}", sabotage.name, String::from_utf8_lossy(&output.stderr));
    }
    Ok(target.join("debug"))
}

impl Sabotage {
    /// The file's text with the line made wrong.
    ///
    /// # Errors
    /// If what is to be replaced does not stand in it exactly once.
    pub fn applied(&self, text: &str) -> Result<String> {
        let times = text.matches(self.right).count();
        ensure!(
            times == 1,
            "{}: {:?} stands {times} times in {}",
            self.name,
            self.right,
            self.file
        );
        Ok(text.replacen(self.right, self.wrong, 1))
    }
}

/// Every source as it is now. What has not changed keeps its time, so that little is built anew.
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
    fn every_sabotage_still_finds_its_line() {
        for sabotage in ALL {
            let text = std::fs::read_to_string(workspace().join(sabotage.file)).unwrap();
            sabotage.applied(&text).unwrap();
        }
    }
}
