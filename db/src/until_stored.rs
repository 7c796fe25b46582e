use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::runtime::{Backoff, Gather, NotGathered, Station};

use super::Error;

/// Takes `items` through a station of the store, as one group. While the database is away it asks
/// again, for as long as that takes; whoever waits for this can be dropped at any time. Answers in
/// the order of `items`; an error is what the database refuses for good, for that item alone.
pub async fn until_stored<S>(station: &Gather<S>, items: &[S::Item]) -> Vec<Result<S::Done, Error>>
where
    S: Station<Fault = Error>,
    S::Item: Clone,
{
    let mut backoff = Backoff::for_server();
    let mut results: Vec<Option<Result<S::Done, Error>>> = items.iter().map(|_| None).collect();
    loop {
        let open = results.iter().zip(items).filter(|(result, _)| result.is_none());
        let group: Vec<S::Item> = open.map(|(_, item)| item.clone()).collect();
        if group.is_empty() {
            return results.into_iter().flatten().collect();
        }
        let mut gathered = station.submit_all(group).await.into_iter();
        for result in results.iter_mut().filter(|result| result.is_none()) {
            *result = gathered.next().and_then(|gathered| settled(S::NAME, gathered));
        }
        if results.iter().any(Option::is_none) {
            backoff.wait().await;
        }
    }
}

/// What will not change by asking again.
fn settled<D>(station: &str, gathered: Result<D, NotGathered<Error>>) -> Option<Result<D, Error>> {
    match gathered {
        Ok(done) => Some(Ok(done)),
        Err(NotGathered::Failed(refused @ Error::Refused(_))) => Some(Err(refused)),
        Err(NotGathered::Failed(Error::Unavailable(why))) => {
            complain(station, &why);
            None
        }
        // Only at the end of the process, which drops this future.
        Err(NotGathered::Full | NotGathered::Closed) => None,
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
