//! When a freshly declared quorum queue would survive a crash of RabbitMQ.
//!
//! Before 2024 (<https://github.com/rabbitmq/ra/pull/443>) a node told nobody that it writes the
//! name of a new quorum queue to disk only about a second later. Killed before that, it comes back
//! with an empty queue that never elects a leader, and everything that was confirmed is gone. No
//! client can do anything about it, so no test of ours should be about it.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::eventually::wait_for;

const DEADLINE: Duration = Duration::from_secs(10);

/// Where Erlang's file format for tables says whether everything is written, and what it says then.
const STATE_OFFSET: usize = 8;
const ALL_WRITTEN: [u8; 4] = [0, 0, 0, 1];

/// Waits until every declared queue's name is on disk. `dir` is where the node keeps its queues;
/// at once if it keeps none.
pub(crate) async fn saved(dir: &Path) -> Result<()> {
    let names = dir.join("names.dets");
    if !names.exists() {
        return Ok(());
    }
    let saved = async || state(&names).is_ok_and(|state| state == ALL_WRITTEN);
    Ok(wait_for("RabbitMQ to write the names of its queues", DEADLINE, saved).await?)
}

fn state(names: &Path) -> std::io::Result<[u8; 4]> {
    let mut head = [0; STATE_OFFSET + 4];
    File::open(names)?.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    Ok([a, b, c, d])
}
