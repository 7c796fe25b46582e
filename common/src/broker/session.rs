use std::time::Duration;

use futures_util::future::join_all;
use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions};
use lapin::types::{DeliveryTag, ShortString};
use tokio::task::JoinSet;

use super::acks::Acks;
use super::connection::{GOODBYE, within};
use super::desk::Fate;
use super::fault::Fault;
use crate::runtime::{CrashPoint, crash_point};

/// One channel's life: what is open on it and what is being worked on.
pub(super) struct Session {
    channel: Channel,
    pub(super) acks: Acks,
    pub(super) in_hand: JoinSet<(DeliveryTag, Fate)>,
}

impl Session {
    pub(super) fn on(channel: Channel) -> Session {
        Session { channel, acks: Acks::default(), in_hand: JoinSet::new() }
    }

    /// Answers what has ended: `first`, and whatever else ended meanwhile.
    pub(super) async fn ack_finished(
        &mut self,
        first: Result<(DeliveryTag, Fate), tokio::task::JoinError>,
    ) -> Result<usize, Fault> {
        let mut ended = vec![first];
        while let Some(next) = self.in_hand.try_join_next() {
            ended.push(next);
        }
        // A task that panicked has lost its tag: with the session its delivery goes back.
        let ended: Result<Vec<(DeliveryTag, Fate)>, _> = ended.into_iter().collect();
        let ended = ended.map_err(|_| Fault::GivenUp("a reader's task panicked"))?;
        let (over, back): (Vec<_>, Vec<_>) =
            ended.into_iter().partition(|(_, fate)| *fate == Fate::Ack);
        // First of all: what has been given back, an ack of `multiple` no longer means.
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
        crash_point::reach_all(&tags, |_| CrashPoint::Acked);
        Ok(tags.len())
    }

    /// Takes nothing new, ends what is in hand, gives back what did not end in time. A broker that
    /// does not answer is not waited for: it gives everything back by itself.
    pub(super) async fn drain(
        &mut self,
        consumer: ShortString,
        patience: Duration,
    ) -> Result<(), Fault> {
        let finish = async {
            self.channel.basic_cancel(consumer, BasicCancelOptions::default()).await?;
            while let Some(first) = self.in_hand.join_next().await {
                self.ack_finished(first).await?;
            }
            Ok::<(), Fault>(())
        };
        match tokio::time::timeout(patience, finish).await {
            Ok(result) => result?,
            Err(_) => {
                log::warn!(left = self.in_hand.len(); "the drain time is over; the rest goes back");
            }
        }
        crash_point::reach(CrashPoint::BackBegun);
        // Tag 0 with `multiple` means every open delivery of the channel (AMQP 0-9-1, basic.nack).
        let all = BasicNackOptions { multiple: true, requeue: true };
        within(GOODBYE, "giving back", async { Ok(self.channel.basic_nack(0, all).await?) })
            .await?;
        crash_point::reach(CrashPoint::BackGiven);
        Ok(())
    }
}
