//! The wait until a new quorum queue would survive a crash of RabbitMQ.
//!
//! Before 2024 (<https://github.com/rabbitmq/ra/pull/443>) a node writes the name of a new quorum
//! queue to disk only about a second after the declaration. A node that is killed earlier comes
//! back with an empty queue that never elects a leader, and all confirmed messages are lost. No
//! client can prevent this, so the tests avoid the case.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::eventually::wait_for;

const DEADLINE: Duration = Duration::from_secs(10);

/// Position of the state in Erlang's file format for tables, and the state of a file that is
/// written completely.
const STATE_OFFSET: usize = 8;
const ALL_WRITTEN: [u8; 4] = [0, 0, 0, 1];

/// Waits until the names of all declared queues are on disk. `dir` is the node's directory of
/// queues; without names there, the function returns at once.
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
