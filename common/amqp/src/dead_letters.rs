//! The dead letters of a queue, received page by page. Those that are not removed return to the queue
//! in their order, when the session closes or this process dies.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions};
use lapin::options::{
    BasicNackOptions, BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::time::Instant;

use crate::acks::Acks;
use crate::confirms::{NotConfirmed, send_and_confirm};
use crate::connection::{CLOSE_TIMEOUT, close, within};
use crate::dead_letter::DeadLetter;
use crate::error::BrokerError;
use crate::outgoing::Outgoing;
use crate::settings::BrokerSettings;
use crate::topology::WorkQueue;

/// Largest number of dead letters on a page.
const PAGE_MAX: u16 = 200;
/// Acks sent in one go. A channel passes 32 on to a quorum queue and keeps the rest until the queue
/// has carried those out; what it keeps is lost when it is closed meanwhile (seen with 3.10).
const ACKS_MAX: usize = 16;
/// Time for a dead letter that was counted to arrive; another session may have received it.
const ARRIVAL: Duration = Duration::from_secs(2);

impl BrokerSettings {
    /// The queues whose dead letters this process can open.
    pub fn work_queues(&self) -> &[WorkQueue] {
        &self.topology.work_queues
    }

    /// Opens the dead letters of `queue` on a new connection.
    ///
    /// # Errors
    /// If the broker does not answer in time or refuses.
    pub async fn open_dead_letters(&self, queue: &WorkQueue) -> Result<DeadLetters, BrokerError> {
        let settings = self.clone();
        let large = settings.connection.with_the_largest_frames();
        let opened = large.open("dead letters", &settings.topology).await?;
        let (connection, reading) = (opened.connection, opened.channel);
        let count = async {
            let look = QueueDeclareOptions { passive: true, ..Default::default() };
            let name = ShortString::from(queue.dead());
            Ok(reading.queue_declare(name, look, FieldTable::default()).await?.message_count())
        };
        let letters =
            within(settings.connection.connect_timeout, "counting dead letters", count).await?;
        let publishing = connection.create_channel().await?;
        publishing.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(DeadLetters {
            settings,
            queue: queue.clone(),
            connection,
            reading,
            publishing,
            letters,
            to_come: letters,
            unacked: Mutex::default(),
            pages: Vec::new(),
        })
    }
}

/// A session on the dead letters of one queue. The broker delivers those that it received to no other
/// session.
#[derive(Debug)]
pub struct DeadLetters {
    settings: BrokerSettings,
    queue: WorkQueue,
    connection: Connection,
    reading: Channel,
    publishing: Channel,
    letters: u32,
    to_come: u32,
    unacked: Mutex<Acks>,
    /// The last delivery of each page.
    pages: Vec<u64>,
}

impl DeadLetters {
    /// Number of dead letters in the queue when it was opened.
    pub fn letters(&self) -> u32 {
        self.letters
    }

    /// The next dead letters, oldest first; none after the last of those that were there at the opening.
    /// So a message that is replayed and dead-lettered again does not appear a second time.
    ///
    /// # Errors
    /// If the broker does not answer in time or refuses. Everything is requeued.
    pub async fn page(&mut self) -> Result<Vec<DeadLetter>, BrokerError> {
        let wanted = u16::try_from(self.to_come).unwrap_or(PAGE_MAX).min(PAGE_MAX);
        if wanted == 0 {
            return Ok(Vec::new());
        }
        // Every page has a consumer of its own, since a prefetch belongs to a consumer: unacked dead
        // letters of earlier pages then take no room.
        let mut consumer =
            within(self.settings.connection.connect_timeout, "receiving dead letters", async {
                self.reading.basic_qos(wanted, BasicQosOptions::default()).await?;
                let name = ShortString::from(self.queue.dead());
                let options = BasicConsumeOptions::default();
                Ok(self
                    .reading
                    .basic_consume(name, "".into(), options, FieldTable::default())
                    .await?)
            })
            .await?;
        let mut page = Vec::new();
        while page.len() < usize::from(wanted) {
            let Ok(delivery) = tokio::time::timeout(ARRIVAL, consumer.next()).await else { break };
            let ended = || BrokerError::ConsumerEnded(self.queue.dead());
            let delivery = delivery.ok_or_else(ended)??;
            let (tag, body) = (delivery.delivery_tag, delivery.data);
            page.push(DeadLetter::read(&self.queue, tag, body, delivery.properties));
        }
        let cancel = self.reading.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        within(self.settings.connection.connect_timeout, "receiving dead letters", async {
            Ok(cancel.await?)
        })
        .await?;
        self.to_come = match page.len() < usize::from(wanted) {
            true => 0,
            false => self.to_come.saturating_sub(u32::from(wanted)),
        };
        self.pages.extend(page.last().map(|letter| letter.tag));
        page.iter().for_each(|letter| self.unacked().open(letter.tag));
        Ok(page)
    }

    /// Publishes a copy of each to the queue that it came from, and waits for the confirms. Results are
    /// in the order of `letters`. The dead letters stay unacked.
    pub async fn replay(&self, letters: &[&DeadLetter]) -> Vec<Result<(), NotConfirmed>> {
        let exchange = &self.settings.topology.exchange;
        let copies: Vec<Outgoing> =
            letters.iter().map(|letter| letter.replay(exchange, &self.queue)).collect();
        let deadline = Instant::now() + self.settings.confirm_timeout;
        send_and_confirm(&self.publishing, &copies, deadline).await
    }

    /// Removes dead letters from the queue for good.
    ///
    /// # Errors
    /// If the broker does not answer as it should: some may still be there.
    pub async fn remove(&self, letters: &[&DeadLetter]) -> Result<(), BrokerError> {
        let tags: Vec<u64> = letters.iter().map(|letter| letter.tag).collect();
        let plan = self.unacked().done(&tags);
        within(self.settings.confirm_timeout, "removing dead letters", async {
            if let Some(tag) = plan.up_to {
                self.reading.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
            }
            for some in plan.single.chunks(ACKS_MAX) {
                let one = BasicAckOptions::default();
                let acks = some.iter().map(|tag| self.reading.basic_ack(*tag, one));
                join_all(acks).await.into_iter().collect::<Result<(), _>>()?;
                self.settle().await?;
            }
            self.settle().await
        })
        .await
    }

    /// Waits until the queue has processed every ack so far. Acks have no answer, and those that the
    /// channel has not passed on are lost with it. The queue processes a `basic.get` behind them.
    async fn settle(&self) -> Result<(), BrokerError> {
        let name = ShortString::from(self.queue.dead());
        let next = self.reading.basic_get(name, BasicGetOptions::default()).await?;
        if let Some(letter) = next {
            let back = BasicNackOptions { multiple: false, requeue: true };
            self.reading.basic_nack(letter.delivery_tag, back).await?;
        }
        Ok(())
    }

    /// Requeues everything that was not removed, page by page, which keeps the order.
    pub async fn close(self) {
        let requeue = async {
            for end in &self.pages {
                // A tag that is not open any more would end the channel.
                let last = self.unacked().last_up_to(*end);
                let Some(last) = last else { continue };
                let up_to = BasicNackOptions { multiple: true, requeue: true };
                self.reading.basic_nack(last, up_to).await?;
                self.unacked().forget_up_to(last);
            }
            Ok(self.reading.close(200, "done".into()).await?)
        };
        // A broker that does not answer requeues everything by itself.
        if let Err(error) = within(4 * CLOSE_TIMEOUT, "requeueing dead letters", requeue).await {
            log::debug!("the broker requeues the dead letters by itself: {error}");
        }
        close(&self.connection).await;
    }

    fn unacked(&self) -> MutexGuard<'_, Acks> {
        self.unacked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
