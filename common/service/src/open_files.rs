//! The limit of open files, and so of connections.

/// Files that a process may need beside its clients' connections: its pools, the broker, the ops
/// port, logs, and what libraries open.
const RESERVED: u64 = 256;

/// Raises the soft limit of open files to the hard one, and returns the limit. Shells and service
/// managers set the soft limit to 1024 for the sake of programs that use `select`; this one does not.
pub(crate) fn raise_limit() -> u64 {
    // A system without limits, or one that refuses, leaves what there is.
    let raised = rlimit::increase_nofile_limit(u64::MAX);
    raised.or_else(|_| rlimit::Resource::NOFILE.get_soft()).unwrap_or(u64::MAX)
}

/// The number of connections that a limit of open files leaves room for, at most `wanted`.
pub(crate) fn connections_within(limit: u64, wanted: usize) -> usize {
    let room = usize::try_from(limit.saturating_sub(RESERVED)).unwrap_or(usize::MAX);
    wanted.min(room.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(connections_within(1024, 10_000), 768);
        assert_eq!(connections_within(1_048_576, 10_000), 10_000);
        assert_eq!(connections_within(10, 10_000), 1);
    }
}
