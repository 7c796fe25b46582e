//! External programs.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::timeout;

/// Bound of a quoted complaint: each of sixty-four clients may print the same line.
const COMPLAINT_LINES: usize = 5;

/// Runs a program and returns its output. A program that exceeds `deadline` is killed.
///
/// # Errors
/// If the program is not installed, fails or exceeds the deadline; the error names the program and
/// quotes its complaint.
pub(super) async fn finish(mut program: Command, deadline: Duration) -> Result<String> {
    let name = program.as_std().get_program().to_string_lossy().into_owned();
    program.kill_on_drop(true);
    let output = match timeout(deadline, program.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            bail!("{name} is not installed; `make bench` installs what it needs")
        }
        Ok(Err(error)) => return Err(error).with_context(|| format!("run {name}")),
        Err(_) => bail!("{name} did not end within {deadline:?}"),
    };
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let complaint: Vec<&str> = complaint.lines().take(COMPLAINT_LINES).collect();
        bail!("{name} failed ({}): {}", output.status, complaint.join("\n"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
