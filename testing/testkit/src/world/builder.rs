//! The parameters of a world.

use crate::binaries::Binaries;

type Variables = Vec<(String, String)>;

/// The parameters of a world, before it starts.
#[derive(Clone, Debug)]
pub struct WorldBuilder {
    pub(super) order_management: usize,
    pub(super) workers: usize,
    pub(super) proxied: bool,
    pub(super) private_servers: bool,
    pub(super) order_management_env: Variables,
    pub(super) worker_env: Variables,
    pub(super) binaries: Option<Binaries>,
}

impl Default for WorldBuilder {
    fn default() -> WorldBuilder {
        WorldBuilder {
            order_management: 1,
            workers: 1,
            proxied: false,
            private_servers: false,
            order_management_env: Vec::new(),
            worker_env: Vec::new(),
            binaries: None,
        }
    }
}

impl WorldBuilder {
    /// Number of order-management processes; default 1.
    pub fn order_management(mut self, count: usize) -> WorldBuilder {
        self.order_management = count;
        self
    }

    /// Number of workers; default 1.
    pub fn workers(mut self, count: usize) -> WorldBuilder {
        self.workers = count;
        self
    }

    /// Puts [`Links`](super::Links) between the processes and their servers.
    pub fn proxied(mut self) -> WorldBuilder {
        self.proxied = true;
        self
    }

    /// Starts servers for this world alone, which the test may kill. Takes five seconds.
    pub fn private_servers(mut self) -> WorldBuilder {
        self.private_servers = true;
        self
    }

    /// Sets a variable for every process; the last value of a name counts.
    pub fn env(self, name: &str, value: &str) -> WorldBuilder {
        self.order_management_env(name, value).worker_env(name, value)
    }

    /// Sets a variable for order-management only.
    pub fn order_management_env(mut self, name: &str, value: &str) -> WorldBuilder {
        self.order_management_env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a variable for workers only.
    pub fn worker_env(mut self, name: &str, value: &str) -> WorldBuilder {
        self.worker_env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the executables; default those of this build.
    pub fn binaries(mut self, binaries: Binaries) -> WorldBuilder {
        self.binaries = Some(binaries);
        self
    }
}
