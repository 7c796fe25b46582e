//! The handler of a queue whose messages are packs: decode the parts, process them, forward those
//! that have to go elsewhere.

use std::future::Future;

use messages::{Envelope, Part};

use crate::delivery::{Handled, IncomingMessage, MessageHandler};
use crate::forward::{Destination, Forward, PartProperties};

/// The decoding and processing of the parts of a message.
pub trait ProcessParts: Send + Sync + 'static {
    /// A part that was read.
    type Item: Send;

    /// The parts of a body, in their order, each readable or not by itself.
    fn decode(body: &[u8]) -> Vec<Part<'_, Self::Item>>;

    /// Refuses a part that was read, with its bytes as received.
    ///
    /// # Errors
    /// Reason and detail of the dead letter.
    fn admit(&self, _part: &[u8]) -> Result<(), Destination> {
        Ok(())
    }

    /// A part that is the whole message: its ids are in the message's properties.
    fn with_envelope(item: Self::Item, envelope: &Envelope) -> Self::Item;

    /// Processes all parts. Returns only once the effect of every part that is not forwarded is
    /// durable.
    fn process(
        &self,
        items: Vec<Self::Item>,
        envelope: &Envelope,
    ) -> impl Future<Output = Processed> + Send;

    /// Notes parts whose copies, with this number of attempts, the broker has confirmed in a retry
    /// queue. Called before the message is acked; the parts are named by their message ids.
    fn scheduled(&self, _parts: Vec<String>, _attempts: u32) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// The result of processing the parts of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Processed {
    /// For each part, in their order: `None` where the effect is durable, else where it goes.
    Each(Vec<Option<Forwarded>>),
    /// Nothing was started, and the process stops.
    NotStarted,
}

/// A part that goes elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The destination.
    pub to: Destination,
    /// Ids and trace of the part, for the copy that leaves a pack.
    pub own: PartProperties,
}

/// The [`MessageHandler`] of a [`ProcessParts`]. An unreadable part is dead-lettered as
/// `unreadable`; a part keeps its own bytes even if the pack contains the same order twice.
#[derive(Debug)]
pub struct ForwardingHandler<T>(pub T);

impl<T: ProcessParts> MessageHandler for ForwardingHandler<T> {
    async fn handle(&self, message: &IncomingMessage) -> Handled {
        let parts = T::decode(&message.body);
        let packed = parts.len() > 1;
        let (mut items, mut readable, mut forwards) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let unreadable = |detail| Destination::Dead { reason: "unreadable", detail };
            let read = part.read.map_err(unreadable);
            match read.and_then(|item| self.0.admit(part.bytes).map(|()| item)) {
                Ok(item) => {
                    let item = match packed {
                        true => item,
                        false => T::with_envelope(item, &message.envelope),
                    };
                    readable.push(part.bytes);
                    items.push(item);
                }
                Err(to) => {
                    forwards.push(Forward { body: part.bytes.to_vec(), own: None, part: None, to });
                }
            }
        }
        match self.0.process(items, &message.envelope).await {
            Processed::NotStarted => return Handled::Requeue,
            Processed::Each(each) => {
                for (bytes, forwarded) in readable.into_iter().zip(each) {
                    let Some(Forwarded { to, own }) = forwarded else { continue };
                    let part = Some(own.message_id.clone());
                    let own = packed.then_some(own);
                    forwards.push(Forward { body: bytes.to_vec(), own, part, to });
                }
            }
        }
        if forwards.is_empty() { Handled::Ack } else { Handled::Forward(forwards) }
    }

    async fn forwarded(&self, message: &IncomingMessage, forwards: &[Forward]) {
        let retried = forwards.iter().filter(|forward| forward.to == Destination::Retry);
        let parts: Vec<String> = retried.filter_map(|forward| forward.part.clone()).collect();
        if !parts.is_empty() {
            self.0.scheduled(parts, message.envelope.attempts.saturating_add(1)).await;
        }
    }
}
