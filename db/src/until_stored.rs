use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use batcher::{BatchHandler, Batcher, SubmitError};
use service::Backoff;

use crate::Error;

/// Submits `items` to a stage of the store, as one submission, and again for as long as the
/// database is unavailable. May be dropped at any time. Returns one result per item, in the order
/// of `items`; an error is a refusal of the database for good, of that item alone.
pub async fn until_stored<S>(
    batcher: &Batcher<S>,
    items: &[S::Item],
) -> Vec<Result<S::Output, Error>>
where
    S: BatchHandler<Error = Error>,
    S::Item: Clone,
{
    let mut backoff = Backoff::for_server();
    let mut results: Vec<Option<Result<S::Output, Error>>> = items.iter().map(|_| None).collect();
    loop {
        let open = results.iter().zip(items).filter(|(result, _)| result.is_none());
        let submission: Vec<S::Item> = open.map(|(_, item)| item.clone()).collect();
        if submission.is_empty() {
            return results.into_iter().flatten().collect();
        }
        let mut submitted = batcher.submit_all(submission).await.into_iter();
        for result in results.iter_mut().filter(|result| result.is_none()) {
            *result = submitted.next().and_then(|submitted| settled(S::NAME, submitted));
        }
        if results.iter().any(Option::is_none) {
            backoff.wait().await;
        }
    }
}

/// A result that another attempt will not change.
fn settled<D>(stage: &str, submitted: Result<D, SubmitError<Error>>) -> Option<Result<D, Error>> {
    match submitted {
        Ok(done) => Some(Ok(done)),
        Err(SubmitError::Failed(refused @ Error::Refused(_))) => Some(Err(refused)),
        Err(SubmitError::Failed(Error::Unavailable(why))) => {
            log_wait(stage, &why);
            None
        }
        // Happens only while the process ends, which drops this future.
        Err(SubmitError::Full | SubmitError::Closed) => None,
    }
}

/// Logs at most one line a second, however many callers wait.
fn log_wait(stage: &str, why: &str) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(1)) {
        *last = Some(Instant::now());
        log::warn!(stage; "waiting for the database: {why}");
    }
}
