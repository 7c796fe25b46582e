//! The test kit's own tests: a fault that is not real proves nothing.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod own {
    mod programs;
    mod proxy;
    mod servers;
    mod watchdog;
}
