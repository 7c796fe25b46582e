//! The transport of a connection: TCP or TLS, behind a [`Screen`].

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::{Stream, TryFutureExt as _};
use lapin::tcp::{AsyncTcpStream, TLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};

use crate::screen::Screen;
use crate::unacked_bytes::UnackedBytes;

type Plain = <Tokio as Reactor>::TcpStream;
type Screened = Screen<AsyncTcpStream<Plain>>;

/// One address of a broker, and the limits of the connection to it.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    pub(crate) address: SocketAddr,
    /// Time to connect, with TLS.
    pub(crate) limit: Duration,
    /// The room for bodies, if it is limited.
    pub(crate) bytes: Option<UnackedBytes>,
}

/// Connects to the broker `uri` at one of its addresses.
pub(crate) async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
    dial: Dial,
) -> lapin::Result<Connection> {
    let runtime = Runtime::new(RuntimeParts::new(Tokio::current(), Net(Tokio::current())));
    let screened = async move |uri: AMQPUri, _| dial.stream(&uri).await.map_err(Into::into);
    Connection::connector(uri, runtime, screened, properties).await
}

impl Dial {
    async fn stream(&self, uri: &AMQPUri) -> io::Result<AsyncTcpStream<Screened>> {
        let dialed = async {
            let plain = Tokio::current().tcp_connect_addr(self.address).await?;
            let stream = AsyncTcpStream::Plain(plain);
            match uri.scheme {
                AMQPScheme::AMQP => Ok(stream),
                AMQPScheme::AMQPS => {
                    stream.into_tls(&uri.authority.host, TLSConfig::default()).await
                }
            }
        };
        let stream = tokio::time::timeout(self.limit, dialed).await??;
        let frame_max = uri.query.frame_max.unwrap_or(0);
        Ok(AsyncTcpStream::Plain(Screen::new(stream, frame_max, self.bytes.clone())))
    }
}

/// Tokio's reactor, with [`Screened`] as the type of its streams.
#[derive(Clone, Debug)]
struct Net(Tokio);

impl Reactor for Net {
    type TcpStream = Screened;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Screened>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(address);
        connecting.map_ok(|plain| Screen::new(AsyncTcpStream::Plain(plain), 0, None))
    }
}
