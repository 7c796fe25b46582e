//! The queues of a world, without a proxy in between.

use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

use super::core::World;
use crate::fail::OrFail;

impl World {
    /// A connection of the test's own to the world's virtual host, with a channel. The channel
    /// closes when the connection is dropped.
    pub async fn channel(&self) -> (Connection, Channel) {
        let url = self.isolation.rabbitmq().url(self.name());
        let connection = Connection::connect(&url, ConnectionProperties::default()).await;
        let connection = connection.or_fail("connect to the broker");
        let channel = connection.create_channel().await.or_fail("open a channel");
        (connection, channel)
    }

    /// Publishes any body to a queue and waits for the confirm. The message is persistent,
    /// regardless of `properties`.
    pub async fn publish_raw(&self, queue: &str, body: &[u8], properties: BasicProperties) {
        let (connection, channel) = self.channel().await;
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await.or_fail("ask for confirms");
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let properties = properties.with_delivery_mode(2);
        let sent = channel.basic_publish("".into(), queue.into(), options, body, properties).await;
        let confirmed = sent.or_fail("publish").await.or_fail("await the confirm");
        assert_eq!(
            confirmed,
            Confirmation::Ack(None),
            "the broker did not confirm a message for {queue}"
        );
        close(connection).await;
    }

    /// The number of ready messages in a queue, without the unacked ones. 0 if the queue does not
    /// exist.
    pub async fn queue_depth(&self, queue: &str) -> u32 {
        let (connection, channel) = self.channel().await;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let found = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        let depth = found.map_or(0, |queue| queue.message_count());
        close(connection).await;
        depth
    }

    /// The sum of [`World::queue_depth`] over several queues.
    pub async fn depth_of(&self, queues: &[impl AsRef<str>]) -> u32 {
        let mut depth = 0;
        for queue in queues {
            depth += self.queue_depth(queue.as_ref()).await;
        }
        depth
    }

    /// Purges a queue, as an operator may.
    pub async fn purge(&self, queue: &str) {
        let (connection, channel) = self.channel().await;
        let purged = channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await;
        purged.or_fail("purge a queue");
        close(connection).await;
    }

    /// The ready messages of a queue, with bodies and properties. The messages are requeued, each
    /// with its delivery count raised by one.
    pub async fn messages_in(&self, queue: &str) -> Vec<BasicGetMessage> {
        let (connection, channel) = self.channel().await;
        let mut messages = Vec::new();
        while let Some(message) = channel
            .basic_get(queue.into(), BasicGetOptions::default())
            .await
            .or_fail("read the queue")
        {
            messages.push(message);
        }
        close(connection).await;
        messages
    }
}

async fn close(connection: Connection) {
    connection.close(200, "done".into()).await.or_fail("close the connection");
}
