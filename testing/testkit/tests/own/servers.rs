//! Servers come back from a crash with what was durable, on the same ports.

use std::time::Duration;

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use testkit::rabbitmq::RabbitMq;
use testkit::{eventually, servers};
use tokio_postgres::{Client, Config, NoTls};

const DEADLINE: Duration = Duration::from_secs(20);

async fn client(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(connection).ok();
    });
    client
}

async fn connect(rabbitmq: &RabbitMq, vhost: &str) -> (Connection, Channel) {
    let url = rabbitmq.url(vhost);
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn declare_quorum_queue(channel: &Channel) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare("kept".into(), durable, arguments).await.unwrap();
}

async fn publish(channel: &Channel, body: &[u8]) {
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish("".into(), "kept".into(), options, body, persistent).await;
    assert_eq!(sent.unwrap().await.unwrap(), Confirmation::Ack(None));
}

#[tokio::test]
async fn postgres_keeps_what_was_committed_over_a_crash() {
    let servers = servers::private().await;
    let postgres = &servers.postgres;
    postgres.create_database("kept").await.unwrap();
    let before = client(&postgres.config("kept")).await;
    before.batch_execute("create table t (n int); insert into t values (7)").await.unwrap();

    postgres.kill().await.unwrap();
    assert!(before.batch_execute("select 1").await.is_err());
    assert!(postgres.config("kept").connect(NoTls).await.is_err());
    postgres.start_again().await.unwrap();

    let after = client(&postgres.config("kept")).await;
    let row = after.query_one("select n, current_setting('fsync') from t", &[]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>(1)), (7, "on"));
}

#[tokio::test]
async fn rabbitmq_keeps_what_was_confirmed_over_a_crash_and_a_stop() {
    let servers = servers::private().await;
    let rabbitmq = &servers.rabbitmq;
    rabbitmq.create_vhost("kept").await.unwrap();
    let (_connection, channel) = connect(rabbitmq, "kept").await;
    declare_quorum_queue(&channel).await;
    publish(&channel, b"one").await;

    rabbitmq.kill().await.unwrap();
    rabbitmq.start_again().await.unwrap();
    rabbitmq.stop().await.unwrap();
    rabbitmq.start_again().await.unwrap();

    let body = eventually("the message to be there", DEADLINE, async || {
        let (_connection, channel) = connect(rabbitmq, "kept").await;
        match channel.basic_get("kept".into(), BasicGetOptions::default()).await {
            Ok(Some(message)) => Ok(message.delivery.data),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(body, b"one");
}

#[tokio::test]
async fn a_memory_alarm_holds_publishers_up_until_it_is_cleared() {
    let servers = servers::private().await;
    let rabbitmq = &servers.rabbitmq;
    rabbitmq.create_vhost("full").await.unwrap();
    let (connection, channel) = connect(rabbitmq, "full").await;
    declare_quorum_queue(&channel).await;

    rabbitmq.raise_memory_alarm().await.unwrap();
    let publishing = publish(&channel, b"held up");
    tokio::pin!(publishing);
    eventually("the connection to be blocked", DEADLINE, async || {
        tokio::select! {
            _ = &mut publishing => panic!("published in spite of the alarm"),
            _ = tokio::task::yield_now() => connection.status().blocked(),
        }
    })
    .await;

    rabbitmq.clear_memory_alarm().await.unwrap();
    tokio::time::timeout(DEADLINE, publishing).await.unwrap();
}

#[tokio::test]
async fn tests_share_servers_and_nothing_else() {
    let first = servers::shared().await;
    let (one, other) = (servers::fresh_name(), servers::fresh_name());
    for name in [&one, &other] {
        first.postgres.create_database(name).await.unwrap();
        first.rabbitmq.create_vhost(name).await.unwrap();
    }

    let in_one = client(&first.postgres.config(&one)).await;
    in_one.batch_execute("create table only_here ()").await.unwrap();
    let in_other = client(&first.postgres.config(&other)).await;
    assert!(in_other.batch_execute("select from only_here").await.is_err());
    let (_connection, channel) = connect(&first.rabbitmq, &one).await;
    declare_quorum_queue(&channel).await;
    let (_connection, channel) = connect(&first.rabbitmq, &other).await;
    assert!(channel.basic_get("kept".into(), BasicGetOptions::default()).await.is_err());
}
