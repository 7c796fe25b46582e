use std::future::Future;
use std::time::Duration;

use lapin::types::LongString;
use lapin::{Channel, Connection, ConnectionProperties};

use crate::error::BrokerError;
use crate::settings::ConnectionSettings;
use crate::topology::Declare;

/// Time for the broker to answer at the end of a session.
pub const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

impl ConnectionSettings {
    /// A new connection with `topology` declared, and a channel on it. The broker lists the
    /// connection under the program's name and `role`.
    ///
    /// # Errors
    /// If the broker does not answer in time or refuses the connection or a declaration.
    pub async fn open(
        &self,
        role: &str,
        topology: &impl Declare,
    ) -> Result<(Connection, Channel), BrokerError> {
        within(self.connect_timeout, "connecting", async {
            let name = LongString::from(format!("{} {role}", self.app));
            let properties = ConnectionProperties::default().with_connection_name(name);
            let connection = Connection::connect_uri(self.url.uri(), properties).await?;
            topology.declare(&connection).await?;
            let channel = connection.create_channel().await?;
            Ok((connection, channel))
        })
        .await
    }
}

/// The result of `work`, or [`BrokerError::TimedOut`] after `limit`.
///
/// # Errors
/// Those of `work`.
pub async fn within<T>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(BrokerError::TimedOut(doing)))
}

/// Closes a connection. A broker that does not answer in time is not waited for.
pub async fn close(connection: &Connection) {
    let closed = connection.close(200, "done".into());
    if tokio::time::timeout(CLOSE_TIMEOUT, closed).await.is_err() {
        log::debug!("the broker did not answer the close");
    }
}
