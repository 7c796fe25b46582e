//! Sending messages and judging their confirms.

use std::collections::HashSet;
use std::future::Future;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use service::crash_point;
use tokio::time::{Instant, timeout_at};

use crate::outgoing::Outgoing;

/// The reason why a message does not count as stored. Its owner keeps it and publishes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// There is no usable connection; the message was not sent.
    #[error("not connected")]
    NotConnected,
    /// The broker is slow to confirm, and the messages before this one took the time; it was not sent.
    #[error("not sent: the broker is slow")]
    NotSent,
    /// The broker found no queue for it.
    #[error("returned as unroutable")]
    Returned,
    /// The broker refused to store it.
    #[error("refused by the broker")]
    Nacked,
    /// The connection was lost or silent before the confirm; the message may be stored.
    #[error("no confirm came")]
    Unknown,
}

/// Sends all messages, waits for all confirms, and only then decides message by message. A message
/// whose confirm has not come at the `deadline` is unknown; the others keep their confirms.
pub(crate) async fn send_and_confirm(
    channel: &Channel,
    batch: &[Outgoing],
    deadline: Instant,
) -> Vec<Result<(), NotConfirmed>> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sends = batch.iter().map(|m| {
        let (exchange, key) = (m.exchange.clone(), m.routing_key.clone());
        channel.basic_publish(exchange, key, options, &m.body, m.properties.clone())
    });
    let sent = all_until(deadline, sends).await;
    crash_point::reach_all(batch, |message| message.sent);
    let confirms = sent.into_iter().map(async |sent| match sent {
        Some(Ok(confirm)) => confirm.await.ok(),
        Some(Err(_)) | None => None,
    });
    let confirms = all_until(deadline, confirms).await.into_iter().map(Option::flatten);
    let confirms: Vec<Option<Confirmation>> = confirms.collect();
    let returned: HashSet<ShortString> =
        confirms.iter().flatten().filter_map(returned_id).collect();
    let judged = batch.iter().zip(confirms).map(|(message, confirm)| match confirm {
        Some(Confirmation::Nack(_)) => Err(NotConfirmed::Nacked),
        _ if message.message_id().is_some_and(|id| returned.contains(id)) => {
            Err(NotConfirmed::Returned)
        }
        Some(Confirmation::Ack(_)) => Ok(()),
        Some(Confirmation::NotRequested) | None => Err(NotConfirmed::Unknown),
    });
    judged.collect()
}

/// Runs futures side by side, and returns the outputs of those that were ready by the deadline.
async fn all_until<F: Future>(
    deadline: Instant,
    futures: impl Iterator<Item = F>,
) -> Vec<Option<F::Output>> {
    let numbered = |(index, future): (usize, F)| future.map(move |output| (index, output));
    let mut pending: FuturesUnordered<_> = futures.enumerate().map(numbered).collect();
    let mut outputs: Vec<Option<F::Output>> = (0..pending.len()).map(|_| None).collect();
    let all = async {
        while let Some((index, output)) = pending.next().await {
            if let Some(place) = outputs.get_mut(index) {
                *place = Some(output);
            }
        }
    };
    // Past the deadline the rest is dropped.
    drop(timeout_at(deadline, all).await);
    outputs
}

fn returned_id(confirm: &Confirmation) -> Option<ShortString> {
    match confirm {
        Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) => {
            message.properties.message_id().clone()
        }
        Confirmation::Ack(None) | Confirmation::Nack(None) | Confirmation::NotRequested => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use futures_util::future::Either;

    use super::*;

    #[tokio::test]
    async fn a_confirm_that_does_not_come_costs_the_others_nothing() {
        let deadline = Instant::now() + Duration::from_millis(50);
        let confirms =
            (0..5).map(|n| if n == 2 { Either::Left(pending()) } else { Either::Right(ready(n)) });
        let arrived = all_until(deadline, confirms).await;
        assert_eq!(arrived, [Some(0), Some(1), None, Some(3), Some(4)]);
    }
}
