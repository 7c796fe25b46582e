//! The user that PostgreSQL runs as, because it refuses to run as root.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use anyhow::{Context, Result};
use nix::unistd::{User, geteuid};

/// Candidates, in order: PostgreSQL's packages create the first, the second always exists.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

const EXECUTE_FOR_OTHERS: u32 = 0o001;

/// The user a server runs as instead of root.
#[derive(Clone, Copy, Debug)]
pub struct ServerUser {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

impl ServerUser {
    /// The user to run as; `None` if this process is not root, and the server runs as the same
    /// user.
    pub fn instead_of_root() -> Result<Option<ServerUser>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let known = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = known.context("PostgreSQL refuses to run as root and there is no other user")?;
        Ok(Some(ServerUser { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    /// Makes the user the owner of a file or directory.
    pub fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("give {} to PostgreSQL's user", path.display()))
    }

    /// True if the user may enter `dir`, which is not the case below `/root`, for example.
    pub fn reaches(self, dir: &Path) -> bool {
        let open = |above: &Path| {
            above.metadata().is_ok_and(|m| m.permissions().mode() & EXECUTE_FOR_OTHERS != 0)
        };
        dir.ancestors().skip(1).all(open)
    }
}
