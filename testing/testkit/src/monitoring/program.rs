//! Starting the programs of the monitoring.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use nix::sys::signal::Signal;

use crate::watchdog::{Environment, Guarded, Program};

/// The argument `--name=value`.
pub(super) fn flag(name: &str, value: impl std::fmt::Display) -> OsString {
    format!("--{name}={value}").into()
}

/// Starts a program with these arguments and variables.
pub(super) fn start(
    path: PathBuf,
    arguments: impl IntoIterator<Item = OsString>,
    variables: &[(&str, String)],
    log: &Path,
) -> Result<Guarded> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Guarded::start(&Program {
        path,
        arguments: arguments.into_iter().collect(),
        variables: variables.collect(),
        environment: Environment::Inherited,
        log: log.to_owned(),
        user: None,
        stop_signal: Signal::SIGKILL,
    })
}
