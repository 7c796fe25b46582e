//! Sending messages and judging their confirms.

use std::collections::HashSet;

use futures_util::future::join_all;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use service::crash_point;

use crate::outgoing::Outgoing;

/// The reason why a message does not count as stored. Its owner keeps it and publishes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// There is no usable connection; the message was not sent.
    #[error("not connected")]
    NotConnected,
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

/// Sends all messages, waits for all confirms, and only then decides message by message.
pub(crate) async fn send_and_confirm(
    channel: &Channel,
    batch: &[Outgoing],
) -> Vec<Result<(), NotConfirmed>> {
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let sends = batch.iter().map(|m| {
        let (exchange, key) = (m.exchange.clone(), m.routing_key.clone());
        channel.basic_publish(exchange, key, options, &m.body, m.properties.clone())
    });
    let sent = join_all(sends).await;
    crash_point::reach_all(batch, |message| message.sent);
    let confirms = sent.into_iter().map(async |sent| match sent {
        Ok(confirm) => confirm.await.ok(),
        Err(_) => None,
    });
    let confirms = join_all(confirms).await;
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

fn returned_id(confirm: &Confirmation) -> Option<ShortString> {
    match confirm {
        Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) => {
            message.properties.message_id().clone()
        }
        Confirmation::Ack(None) | Confirmation::Nack(None) | Confirmation::NotRequested => None,
    }
}
