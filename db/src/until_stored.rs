use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::runtime::{Backoff, Gather, NotGathered, Station};

use super::Error;

/// Takes `item` through a station of the store. While the database is away it asks again, for as
/// long as that takes; whoever waits for this can be dropped at any time.
///
/// # Errors
/// What the database refuses for good.
pub async fn until_stored<S>(station: &Gather<S>, item: S::Item) -> Result<S::Done, Error>
where
    S: Station<Fault = Error>,
    S::Item: Clone,
{
    let mut backoff = Backoff::for_server();
    loop {
        match station.submit(item.clone()).await {
            Ok(done) => return Ok(done),
            Err(NotGathered::Failed(refused @ Error::Refused(_))) => return Err(refused),
            Err(NotGathered::Failed(Error::Unavailable(why))) => {
                complain(S::NAME, &why);
            }
            // Only at the end of the process, which drops this future.
            Err(NotGathered::Full | NotGathered::Closed) => {}
        }
        backoff.wait().await;
    }
}

/// One line a second is enough to know, however many wait.
fn complain(station: &str, why: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(1)) {
        *last = Some(Instant::now());
        log::warn!(station; "waiting for the database: {why}");
    }
}
