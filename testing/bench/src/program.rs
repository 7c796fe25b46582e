//! Programs of others that do a part of the work.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;
use tokio::time::timeout;

/// Sixty-four clients say the same thing sixty-four times.
const COMPLAINT_LINES: usize = 5;

/// Runs a program to its end, which must be a good one, and returns its output. It is killed if it
/// takes longer than `deadline`.
///
/// # Errors
/// If it is not installed, complains or does not end; the text says which program and what it said.
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
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let said: Vec<&str> = said.lines().take(COMPLAINT_LINES).collect();
        bail!("{name} failed ({}): {}", output.status, said.join("\n"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
