use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use lapin::types::LongString;
use lapin::{Channel, Connection, ConnectionProperties};

use crate::error::BrokerError;
use crate::settings::ConnectionSettings;
use crate::topology::Declare;
use crate::transport::{Dial, connect};
use crate::unacked_bytes::UnackedBytes;
use crate::url::{AmqpUrl, BrokerPlace};

/// Time for the broker to answer at the end of a session.
pub const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Least time for one address of a broker with several.
const ADDRESS_TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// A connection that is ready to be used.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// A channel on it.
    pub channel: Channel,
    /// The broker that it leads to, to be left when the connection is lost.
    pub place: BrokerPlace,
}

/// The use of a new connection.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    /// The role under which the broker lists it.
    pub(crate) role: &'static str,
    /// The room for the bodies of deliveries, if it is limited.
    pub(crate) bytes: Option<UnackedBytes>,
}

impl ConnectionSettings {
    /// A new connection with `topology` declared, and a channel on it. The broker lists the
    /// connection under the program's name and `role`. Each address of the broker's name gets an
    /// equal share of the connect timeout, at least 1 s.
    ///
    /// # Errors
    /// If no address answers in time, or the broker refuses the connection or a declaration. The
    /// next attempt goes to the next broker.
    pub async fn open(
        &self,
        role: &'static str,
        topology: &impl Declare,
    ) -> Result<Opened, BrokerError> {
        self.open_for(Purpose { role, bytes: None }, topology).await
    }

    pub(crate) async fn open_for(
        &self,
        purpose: Purpose,
        topology: &impl Declare,
    ) -> Result<Opened, BrokerError> {
        let place = self.brokers.place();
        let opened = match place.url() {
            Some(url) => self.open_at(url, &purpose, topology).await,
            None => Err(BrokerError::NoAddress),
        };
        match opened {
            Ok((connection, channel)) => Ok(Opened { connection, channel, place }),
            Err(error) => {
                place.lost();
                Err(error)
            }
        }
    }

    async fn open_at(
        &self,
        url: &AmqpUrl,
        purpose: &Purpose,
        topology: &impl Declare,
    ) -> Result<(Connection, Channel), BrokerError> {
        let addresses =
            within(self.connect_timeout, "resolving the broker's name", addresses(url)).await?;
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let least = ADDRESS_TIMEOUT_MIN.min(self.connect_timeout);
        let limit = (self.connect_timeout / count).max(least);
        let mut last = BrokerError::NoAddress;
        for address in addresses {
            let dial = Dial { address, limit, bytes: purpose.bytes.clone() };
            let name = LongString::from(format!("{} {}", self.app, purpose.role));
            let properties = ConnectionProperties::default().with_connection_name(name);
            let attempt = open_address(url, properties, topology, dial);
            match within(limit, "connecting", attempt).await {
                Err(error) if !error.is_an_answer() => last = error,
                answered => return answered,
            }
        }
        Err(last)
    }
}

async fn open_address(
    url: &AmqpUrl,
    properties: ConnectionProperties,
    topology: &impl Declare,
    dial: Dial,
) -> Result<(Connection, Channel), BrokerError> {
    let connection = connect(url.uri(), properties, dial).await?;
    topology.declare(&connection).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

/// The addresses of a broker, resolved anew.
async fn addresses(url: &AmqpUrl) -> Result<Vec<SocketAddr>, BrokerError> {
    let authority = url.uri().authority;
    let found = tokio::net::lookup_host((authority.host.as_str(), authority.port)).await;
    Ok(found.map_err(lapin::Error::from)?.collect())
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
