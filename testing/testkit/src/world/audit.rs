//! A single run of the auditor.

use anyhow::{Context, Result};
use tokio::process::Command;

use super::core::World;

/// The result of `auditor check --all`.
#[derive(Clone, Debug)]
pub struct Audited {
    /// 0 without findings, 1 with findings, 2 if the auditor could not read the databases.
    pub code: Option<i32>,
    /// The output.
    pub said: String,
}

impl World {
    /// Runs `auditor check --all`, with the second look a second after the first.
    ///
    /// # Errors
    /// If the auditor can't be run.
    pub async fn audited(&self) -> Result<Audited> {
        let spec = self.auditor_spec("auditor-check").await?;
        let mut check = Command::new(&spec.binary);
        check.args(["check", "--all"]).env_clear().envs(spec.variables);
        check.env("AUDIT_GRACE_MS", "1000");
        let output = check.output().await.context("run the auditor")?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok(Audited { code: output.status.code(), said })
    }
}
