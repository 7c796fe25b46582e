//! The supervisor of every connection: it runs a session, and after an error runs the next one.

use std::time::{Duration, Instant};

use service::Backoff;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::BrokerError;
use crate::status::Status;

/// Age at which a session counts as stable: after its end the next one starts without delay.
const STABLE: Duration = Duration::from_secs(5);

/// The work of one connection, from connecting to its end.
pub trait Session: Send + 'static {
    /// Connects and works until the connection is lost or the process stops. Reports
    /// [`Status::Up`] once the connection is usable.
    fn run(
        &mut self,
        status: &watch::Sender<Status>,
    ) -> impl Future<Output = Result<End, BrokerError>> + Send;

    /// Logs that the connection is interrupted. `again` is `true` if no session has been stable
    /// since the last interruption.
    fn interrupted(&self, error: &BrokerError, again: bool);

    /// Returns `true` if the next session has to start soon after `error`, however short this one
    /// was.
    fn retry_at_once(&mut self, _error: &BrokerError) -> bool {
        false
    }
}

/// The end of a session without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The session ended for good.
    Stop,
    /// The next session starts at once.
    Restart,
}

/// Runs session after session until one ends for good or `stopping` is cancelled between two of
/// them. Waits between two sessions, with jitter, 50 ms at first and 1 s at most.
pub async fn supervise(
    mut session: impl Session,
    status: watch::Sender<Status>,
    stopping: CancellationToken,
) {
    let mut backoff = Backoff::for_server();
    let mut again = false;
    while !stopping.is_cancelled() {
        let started = Instant::now();
        let error = match session.run(&status).await {
            Ok(End::Stop) => break,
            Ok(End::Restart) => continue,
            Err(error) => error,
        };
        status.send_replace(Status::Disconnected(error.to_string()));
        if stopping.is_cancelled() {
            break;
        }
        if started.elapsed() > STABLE {
            backoff.reset();
            again = false;
        }
        if session.retry_at_once(&error) {
            backoff.reset();
        }
        session.interrupted(&error, again);
        again = true;
        tokio::select! {
            () = backoff.wait() => {}
            () = stopping.cancelled() => {}
        }
    }
    status.send_replace(Status::Disconnected("stopped".to_owned()));
}
