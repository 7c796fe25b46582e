//! Free ports on loopback. They are below the range that kernels use for outgoing connections (from
//! 32768 on Linux, 49152 elsewhere), so that a server which is killed finds its port still free
//! when it starts again.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Result, bail};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Ports that this process has handed out, even if no server listens on them yet.
static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port without a listener that this process has not handed out before. The search starts at a
/// random port, so that parallel test binaries do not collide.
pub fn free() -> Result<u16> {
    let chance = RandomState::new().hash_one(std::process::id());
    let start = u16::try_from(chance % u64::from(COUNT))?;
    for step in 0..COUNT {
        let port = FIRST + (start + step) % COUNT;
        if take(port) {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST} and {}", FIRST + COUNT)
}

/// `preferred` if it is free, otherwise any free port.
pub fn free_or(preferred: u16) -> Result<u16> {
    if take(preferred) { Ok(preferred) } else { free() }
}

fn take(port: u16) -> bool {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    !taken.contains(&port) && is_free(port) && taken.insert(port)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
