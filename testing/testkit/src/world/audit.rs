//! What the auditor says when it is asked once.

use anyhow::{Context, Result};
use tokio::process::Command;

use super::World;

/// An audit of everything.
#[derive(Clone, Debug)]
pub struct Audited {
    /// 0 if all is well, 1 if something is wrong, 2 if it could not look.
    pub code: Option<i32>,
    /// What it printed.
    pub said: String,
}

impl World {
    /// `auditor check --all`, with its second look a moment after the first.
    ///
    /// # Errors
    /// If it can't be run.
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
