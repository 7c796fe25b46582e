use std::time::Duration;

use futures_util::future::join_all;
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions};
use lapin::types::{DeliveryTag, ShortString};
use service::crash_point;
use tokio::task::JoinSet;

use crate::acks::Acks;
use crate::connection::{CLOSE_TIMEOUT, within};
use crate::crash_points;
use crate::delivery::Disposition;
use crate::error::BrokerError;
use crate::unacked_bytes::UnackedBytes;

/// One channel: its open deliveries and their handlers.
pub(super) struct ConsumeSession {
    pub(super) channel: Channel,
    /// The room for further bodies.
    pub(super) bytes: UnackedBytes,
    /// The tag of the consumer, once there is one.
    pub(super) consumer: Option<ShortString>,
    pub(super) acks: Acks,
    pub(super) unacked: JoinSet<(DeliveryTag, Disposition)>,
}

impl ConsumeSession {
    pub(super) fn on(channel: Channel, bytes: UnackedBytes) -> ConsumeSession {
        let (acks, unacked) = (Acks::default(), JoinSet::new());
        ConsumeSession { channel, bytes, consumer: None, acks, unacked }
    }

    /// Answers the deliveries whose handlers have returned: `first`, and all others by now.
    /// Returns the number of acks.
    pub(super) async fn ack_finished(
        &mut self,
        first: Result<(DeliveryTag, Disposition), tokio::task::JoinError>,
    ) -> Result<usize, BrokerError> {
        let mut ended = vec![first];
        while let Some(next) = self.unacked.try_join_next() {
            ended.push(next);
        }
        // A task that panicked has lost its tag: its delivery is requeued with the session.
        let ended: Result<Vec<(DeliveryTag, Disposition)>, _> = ended.into_iter().collect();
        let ended = ended.map_err(|_| BrokerError::GivenUp("the task of a handler panicked"))?;
        let (over, back): (Vec<_>, Vec<_>) =
            ended.into_iter().partition(|(_, fate)| *fate == Disposition::Ack);
        // First, since an ack of `multiple` does not cover what has been requeued.
        for (tag, _) in &back {
            let options = BasicNackOptions { multiple: false, requeue: true };
            self.channel.basic_nack(*tag, options).await?;
            self.acks.forget(*tag);
        }
        let tags: Vec<DeliveryTag> = over.into_iter().map(|(tag, _)| tag).collect();
        let plan = self.acks.done(&tags);
        if let Some(tag) = plan.up_to {
            self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
        }
        let one = BasicAckOptions::default();
        let acks = plan.single.into_iter().map(|tag| self.channel.basic_ack(tag, one));
        join_all(acks).await.into_iter().collect::<Result<(), _>>()?;
        crash_point::reach_all(&tags, |_| crash_points::ACKED);
        Ok(tags.len())
    }

    /// Cancels the consumer, lets the handlers end within `timeout`, and requeues the rest. A broker
    /// that does not answer is not waited for: it requeues everything by itself.
    pub(super) async fn drain(&mut self, timeout: Duration) -> Result<(), BrokerError> {
        let finish = async {
            if let Some(consumer) = self.consumer.take() {
                let options = BasicCancelOptions::default();
                tokio::select! {
                    cancelled = self.channel.basic_cancel(consumer, options) => cancelled?,
                    // The answer is behind a body that is not read any more.
                    () = self.bytes.exhausted() => {}
                }
            }
            while let Some(first) = self.unacked.join_next().await {
                self.ack_finished(first).await?;
            }
            Ok::<(), BrokerError>(())
        };
        match tokio::time::timeout(timeout, finish).await {
            Ok(result) => result?,
            Err(_) => {
                log::warn!(left = self.unacked.len(); "the drain time is over; the rest is requeued");
            }
        }
        crash_point::reach(crash_points::REQUEUE_BEGUN);
        // Tag 0 with `multiple` means every open delivery of the channel (AMQP 0-9-1, basic.nack).
        let all = BasicNackOptions { multiple: true, requeue: true };
        within(CLOSE_TIMEOUT, "requeueing", async { Ok(self.channel.basic_nack(0, all).await?) })
            .await?;
        crash_point::reach(crash_points::REQUEUED);
        Ok(())
    }
}
