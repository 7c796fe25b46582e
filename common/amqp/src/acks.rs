use std::collections::BTreeSet;

use lapin::types::DeliveryTag;

/// The open deliveries of one channel. Keeps the number of acks small: one `multiple` for everything
/// up to the oldest open delivery, single acks for the rest.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    open: BTreeSet<DeliveryTag>,
}

/// The acks to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AckPlan {
    /// Everything up to and including this delivery.
    pub(crate) up_to: Option<DeliveryTag>,
    /// Deliveries to ack one by one.
    pub(crate) single: Vec<DeliveryTag>,
}

impl Acks {
    /// Adds a delivery.
    pub(crate) fn open(&mut self, tag: DeliveryTag) {
        self.open.insert(tag);
    }

    /// Removes a delivery that was requeued.
    pub(crate) fn forget(&mut self, tag: DeliveryTag) {
        self.open.remove(&tag);
    }

    /// The newest open delivery up to `tag`.
    pub(crate) fn last_up_to(&self, tag: DeliveryTag) -> Option<DeliveryTag> {
        self.open.range(..=tag).next_back().copied()
    }

    /// Removes everything up to `tag`, which was requeued.
    pub(crate) fn forget_up_to(&mut self, tag: DeliveryTag) {
        self.open.retain(|open| *open > tag);
    }

    /// Removes deliveries that are done. Returns the acks to send for them.
    pub(crate) fn done(&mut self, tags: &[DeliveryTag]) -> AckPlan {
        for tag in tags {
            self.open.remove(tag);
        }
        let oldest_open = self.open.first().copied().unwrap_or(DeliveryTag::MAX);
        let (below, above): (Vec<_>, Vec<_>) = tags.iter().partition(|tag| **tag < oldest_open);
        AckPlan { up_to: below.into_iter().max(), single: above }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slow_delivery_holds_up_nothing_but_itself() {
        let mut acks = Acks::default();
        (1..=6).for_each(|tag| acks.open(tag));
        assert_eq!(acks.done(&[2, 1, 4, 5]), AckPlan { up_to: Some(2), single: vec![4, 5] });
        assert_eq!(acks.done(&[6]), AckPlan { up_to: None, single: vec![6] });
        assert_eq!(acks.done(&[3]), AckPlan { up_to: Some(3), single: vec![] });
    }

    proptest! {
        /// Plays the broker: in any order and any batches, exactly the finished deliveries are acked.
        #[test]
        fn exactly_what_is_done_is_acked(order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(), size in 1..10_usize) {
            let mut acks = Acks::default();
            let mut unacked: BTreeSet<u64> = (1..=40).collect();
            (1..=40).for_each(|tag| acks.open(tag));
            let mut done = BTreeSet::new();
            for batch in order.chunks(size) {
                done.extend(batch);
                let plan = acks.done(batch);
                if let Some(up_to) = plan.up_to {
                    unacked.retain(|tag| *tag > up_to);
                }
                unacked.retain(|tag| !plan.single.contains(tag));
                let acked: BTreeSet<u64> = (1..=40).filter(|tag| !unacked.contains(tag)).collect();
                prop_assert_eq!(&acked, &done);
            }
        }
    }
}
