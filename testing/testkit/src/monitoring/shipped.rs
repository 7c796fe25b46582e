//! The shipped settings.

use std::path::PathBuf;

use crate::binaries::workspace;

/// The directory `deploy/monitoring`.
pub fn shipped() -> PathBuf {
    workspace().join("deploy/monitoring")
}
