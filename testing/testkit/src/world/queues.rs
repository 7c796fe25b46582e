//! The broker's side of a world, without a proxy in between.

use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

use super::World;
use crate::fail::OrFail;

impl World {
    /// A connection of the test's own to the world's virtual host, with a channel on it. Keep the
    /// connection: when it is dropped, the channel is dead.
    pub async fn channel(&self) -> (Connection, Channel) {
        let url = self.tenancy.rabbitmq().url(self.name());
        let connection = Connection::connect(&url, ConnectionProperties::default()).await;
        let connection = connection.or_fail("connect to the broker");
        let channel = connection.create_channel().await.or_fail("open a channel");
        (connection, channel)
    }

    /// Puts anything into a queue and waits until the broker has it. Persistent, whatever
    /// `properties` say.
    pub async fn publish_raw(&self, queue: &str, body: &[u8], properties: BasicProperties) {
        let (connection, channel) = self.channel().await;
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await.or_fail("ask for confirms");
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let properties = properties.with_delivery_mode(2);
        let sent = channel.basic_publish("".into(), queue.into(), options, body, properties).await;
        let confirmed = sent.or_fail("publish").await.or_fail("await the confirm");
        assert_eq!(confirmed, Confirmation::Ack(None), "{queue} did not take the message");
        close(connection).await;
    }

    /// How many messages wait in a queue, those in a reader's hand not counted. 0 if there is no
    /// such queue.
    pub async fn queue_depth(&self, queue: &str) -> u32 {
        let (connection, channel) = self.channel().await;
        let look = QueueDeclareOptions { passive: true, ..Default::default() };
        let found = channel.queue_declare(queue.into(), look, FieldTable::default()).await;
        let depth = found.map_or(0, |queue| queue.message_count());
        close(connection).await;
        depth
    }

    /// The same for several queues together.
    pub async fn depth_of(&self, queues: &[impl AsRef<str>]) -> u32 {
        let mut depth = 0;
        for queue in queues {
            depth += self.queue_depth(queue.as_ref()).await;
        }
        depth
    }

    /// Throws away what waits in a queue, as a person may.
    pub async fn purge(&self, queue: &str) {
        let (connection, channel) = self.channel().await;
        let purged = channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await;
        purged.or_fail("purge a queue");
        close(connection).await;
    }

    /// What waits in a queue, with bodies and properties. The messages go back into it, each with
    /// one delivery more on its count.
    pub async fn messages_in(&self, queue: &str) -> Vec<BasicGetMessage> {
        let (connection, channel) = self.channel().await;
        let mut messages = Vec::new();
        while let Some(message) = channel
            .basic_get(queue.into(), BasicGetOptions::default())
            .await
            .or_fail("look into the queue")
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
