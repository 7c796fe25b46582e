use std::future::Future;
use std::time::Duration;

use lapin::types::LongString;
use lapin::{Channel, Connection, ConnectionProperties};

use super::fault::Fault;
use super::settings::BrokerSettings;

/// How long a broker may take to answer the last words of a session.
pub(super) const GOODBYE: Duration = Duration::from_millis(500);
/// A session that lasted this long was a good one: the next try comes at once.
pub(super) const STABLE: Duration = Duration::from_secs(5);

impl BrokerSettings {
    /// A new connection with everything declared, and a channel on it.
    pub(super) async fn open(&self, role: &'static str) -> Result<(Connection, Channel), Fault> {
        within(self.connect_timeout, "connecting", async {
            let name = LongString::from(format!("{} {role}", self.app));
            let properties = ConnectionProperties::default().with_connection_name(name);
            let connection = Connection::connect_uri(self.url.uri(), properties).await?;
            self.topology.declare(&connection).await?;
            let channel = connection.create_channel().await?;
            Ok((connection, channel))
        })
        .await
    }
}

/// `work`, or [`Fault::TimedOut`].
pub(super) async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(Fault::TimedOut(doing)))
}

/// Says goodbye; a broker that does not answer it is not waited for.
pub(super) async fn close(connection: &Connection) {
    let goodbye = connection.close(200, "done".into());
    if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
        log::debug!("the broker did not answer the goodbye");
    }
}
