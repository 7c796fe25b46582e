//! B: the rate of RabbitMQ with one quorum queue, a bare publisher and a bare consumer, through the
//! client library of the services: persistent messages of the same size and properties, pipelined
//! confirms, multiple acks. Window, prefetch and acks are the fastest that were found.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use futures_util::future::join_all;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, PublisherConfirm,
};
use tokio::sync::watch;
use tokio::time::timeout;

use testkit::number::float;
use testkit::world::World;

const QUEUE: &str = "baseline";
/// Most unconfirmed messages.
const WINDOW: usize = 1000;
/// Messages handed to the client library together.
const AT_ONCE: usize = 100;
/// Most unacked messages, and the number of messages per ack.
const PREFETCH: u16 = 1000;
const ACK_EVERY: u64 = 100;
/// Timeout of one confirm or delivery.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Rates of one queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BrokerRates {
    /// Messages published and confirmed per second.
    pub(crate) in_per_s: f64,
    /// Messages published, confirmed, delivered and acked per second, until the queue was empty.
    pub(crate) through_per_s: f64,
}

impl BrokerRates {
    /// The broker's ceiling for orders, each of which takes a message in either direction.
    pub(crate) fn orders_per_s(self) -> f64 {
        self.through_per_s / 2.0
    }
}

/// Publishes for this long and consumes at the same time, until the queue is empty. `world` has no
/// processes, and no other load may run.
///
/// # Errors
/// If the broker refuses a message or is silent for 30 s.
pub(crate) async fn run(world: &World, long: Duration) -> Result<BrokerRates> {
    let url = world.isolation().rabbitmq().url(world.name());
    // On one thread the client library is a quarter faster than on several, and the broker has the
    // other cores to itself.
    let measured = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(through_one_queue(&url, long))
    });
    measured.await?
}

async fn through_one_queue(url: &str, long: Duration) -> Result<BrokerRates> {
    let connect = || Connection::connect(url, ConnectionProperties::default());
    let (publishing, consuming) = (connect().await?, connect().await?);
    let publisher = publishing.create_channel().await?;
    let consumer = consuming.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    publisher.queue_declare(QUEUE.into(), durable, arguments).await?;
    let (total, sent) = watch::channel(None);
    let began = Instant::now();
    let (published, consumed) =
        tokio::join!(publish(&publisher, long, total), consume(&consumer, sent));
    let ((messages, confirmed_at), consumed_at) = (published?, consumed?);
    publisher.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    for connection in [publishing, consuming] {
        connection.close(200, "done".into()).await?;
    }
    let rate = |end: Instant| float(messages) / end.duration_since(began).as_secs_f64();
    Ok(BrokerRates { in_per_s: rate(confirmed_at), through_per_s: rate(consumed_at) })
}

/// Publishes for this long. Sends the number of messages to `total`, then returns it with the time
/// of the last confirm.
async fn publish(
    channel: &Channel,
    long: Duration,
    total: watch::Sender<Option<u64>>,
) -> Result<(u64, Instant)> {
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let (body, properties) = message();
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let began = Instant::now();
    let (mut count, mut window) = (0, VecDeque::with_capacity(WINDOW));
    while began.elapsed() < long {
        let room = WINDOW - window.len();
        confirm(window.drain(..AT_ONCE.saturating_sub(room))).await?;
        let send =
            || channel.basic_publish("".into(), QUEUE.into(), options, &body, properties.clone());
        for sent in join_all((0..AT_ONCE).map(|_| send())).await {
            window.push_back(sent?);
            count += 1;
        }
    }
    total.send_replace(Some(count));
    confirm(window.drain(..)).await?;
    Ok((count, Instant::now()))
}

async fn confirm(confirms: impl Iterator<Item = PublisherConfirm>) -> Result<()> {
    for confirm in confirms {
        let confirmed = timeout(SILENCE_TIMEOUT, confirm).await.context("no confirm came")??;
        ensure!(confirmed == Confirmation::Ack(None), "a message was refused");
    }
    Ok(())
}

/// Consumes until `total` is known and reached. Acks every hundredth message, and whenever no
/// further delivery is waiting. Returns the time of the last ack.
async fn consume(channel: &Channel, mut total: watch::Receiver<Option<u64>>) -> Result<Instant> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let begun = channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default());
    let mut deliveries = begun.await?;
    let multiple = BasicAckOptions { multiple: true };
    let (mut count, mut acked) = (0, 0);
    while total.borrow().is_none_or(|total| count < total) {
        let next = match futures_util::poll!(deliveries.next()) {
            std::task::Poll::Ready(next) => next,
            std::task::Poll::Pending => {
                if acked < count {
                    channel.basic_ack(count, multiple).await?;
                    acked = count;
                }
                let next = async {
                    tokio::select! {
                        next = deliveries.next() => Some(next),
                        _known = total.changed() => None,
                    }
                };
                match timeout(SILENCE_TIMEOUT, next).await.context("no delivery came")? {
                    Some(next) => next,
                    None => continue,
                }
            }
        };
        let Some(delivery) = next else { bail!("the broker ended the consumer") };
        // Delivery tags count from 1, so the tag is the count.
        count = delivery?.delivery_tag;
        if count - acked >= ACK_EVERY {
            channel.basic_ack(count, multiple).await?;
            acked = count;
        }
    }
    // To ack a tag twice would be an error.
    if acked < count {
        channel.basic_ack(count, multiple).await?;
    }
    let ended = Instant::now();
    channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
    Ok(ended)
}

/// A payment request as order-management sends it.
fn message() -> (Vec<u8>, BasicProperties) {
    const ID: &str = "0197a4f0-5b3c-7d21-9c64-2f1de8a1b0c5";
    const TRACE: &str = "00-0197a4f05b3c7d219c642f1de8a1b0c5-9c642f1de8a1b0c5-00";
    let body = format!(
        "{{\"orderId\":\"{ID}\",\"totalPrice\":199,\"currency\":\"USD\",\"customerId\":\"1\",\
         \"paymentMethod\":\"pm_card_visa\"}}"
    );
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), AMQPValue::LongString(TRACE.into()));
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_message_id(ID.into())
        .with_correlation_id(ID.into())
        .with_reply_to("processedorders".into())
        .with_type("payment_request".into())
        .with_app_id("order-management".into())
        .with_timestamp(1_700_000_000)
        .with_headers(headers);
    (body.into_bytes(), properties)
}
