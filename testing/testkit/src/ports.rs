//! Free ports on loopback. They are taken from below the range out of which kernels serve
//! outgoing connections (from 32768 on Linux, 49152 elsewhere), so that a server which is killed
//! finds its port still free when it starts again.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Result, bail};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Handed out by this process: nobody may listen there yet, it is taken all the same.
static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port on which nobody listens and which this process has not given out before. Starts looking
/// at a random one, so that test binaries running side by side do not meet.
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

/// `preferred` if it is free, else any free one.
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
