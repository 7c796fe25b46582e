//! As whom PostgreSQL runs: it refuses to be root.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use anyhow::{Context, Result};
use nix::unistd::{User, geteuid};

/// Looked for in this order; the packages make the first one, the second is always there.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

const EXECUTE_FOR_OTHERS: u32 = 0o001;

/// The user a server runs as instead of root.
#[derive(Clone, Copy, Debug)]
pub struct ServerUser {
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
}

impl ServerUser {
    /// Whom to become, or `None` if we are not root and the server simply runs as we do.
    pub fn instead_of_root() -> Result<Option<ServerUser>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let known = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = known.context("PostgreSQL refuses to run as root and there is no other user")?;
        Ok(Some(ServerUser { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    /// Gives it a file or directory.
    pub fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("give {} to PostgreSQL's user", path.display()))
    }

    /// Whether it may walk down to `dir`. A directory below `/root`, for one, is out of reach.
    pub fn reaches(self, dir: &Path) -> bool {
        let open = |above: &Path| {
            above.metadata().is_ok_and(|m| m.permissions().mode() & EXECUTE_FOR_OTHERS != 0)
        };
        dir.ancestors().skip(1).all(open)
    }
}
