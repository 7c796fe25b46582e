//! A temporary directory that is removed with this process.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use uuid::Uuid;

/// Waits for the end of its input, then removes the directory. Servers that are stopped at the same
/// moment may still write, so the script tries for up to 30 s.
const SCRIPT: &str = r#"
read -r _
left=30
until rm -rf -- "$1" 2>/dev/null || [ "$left" -eq 0 ]; do
    sleep 1
    left=$((left - 1))
done
"#;

/// A temporary directory, removed when it is dropped, and also when this process is killed. Its
/// writers have to be dropped first.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
    remover: Child,
}

impl ScratchDir {
    /// Creates a new directory below the system's directory for temporary files. Any user may enter
    /// it, because PostgreSQL may run as another user.
    pub fn new() -> Result<ScratchDir> {
        let name = format!("ordermill-{}", Uuid::now_v7().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("make {}", path.display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        let remover = Command::new("sh")
            .args(["-c", SCRIPT, "ordermill-remover"])
            .arg(&path)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("start a shell that removes the directory")?;
        Ok(ScratchDir { path, remover })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        if let Err(error) = self.remover.wait() {
            eprintln!("{} may be left behind: {error}", self.path.display());
        }
    }
}
