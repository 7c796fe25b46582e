use std::future::ready;

use tokio::sync::watch;

use super::consumer::Consumer;
use super::publisher::Publisher;
use crate::runtime::Tasks;
use crate::runtime::ops_server::Readiness;

/// Ready while both ways to the broker work and the process is not about to stop. There may be no
/// consumer yet: it starts once the tables are there.
pub fn readiness(
    publisher: &Publisher,
    consumer: watch::Receiver<Option<Consumer>>,
    tasks: &Tasks,
) -> Readiness {
    let (publisher, leaving) = (publisher.clone(), tasks.leaving());
    Readiness::default()
        .with("publisher", move || ready(publisher.status().check()))
        .with("consumer", move || {
            let status = consumer.borrow().as_ref().map(Consumer::status);
            let starting = || Err("waiting for the database".to_owned());
            ready(status.map_or_else(starting, |status| status.check()))
        })
        .with("process", move || {
            ready(if leaving.is_cancelled() { Err("stopping".to_owned()) } else { Ok(()) })
        })
}
