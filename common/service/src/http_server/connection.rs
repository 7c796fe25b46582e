//! One client's connection, with the bounds that actix-http does not have.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::clock::{ConnectionClock, ConnectionLimits};
use super::upgrade_offers::UpgradeOffers;
use crate::open_requests::OpenRequests;

/// A TCP connection that ends by itself when its client does not go on, and that does not take part
/// in upgrades.
#[derive(Debug)]
pub(super) struct ClientConnection {
    stream: TcpStream,
    open: OpenRequests,
    offers: UpgradeOffers,
    clock: ConnectionClock,
}

impl ClientConnection {
    pub(super) fn new(stream: TcpStream, limits: ConnectionLimits) -> ClientConnection {
        ClientConnection {
            stream,
            open: OpenRequests::default(),
            offers: UpgradeOffers::default(),
            clock: ConnectionClock::new(limits),
        }
    }

    /// The count of requests in progress, which the middleware of the routes keeps.
    pub(super) fn open_requests(&self) -> OpenRequests {
        self.open.clone()
    }
}

impl AsyncRead for ClientConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                let arrived = buffer.filled_mut().get_mut(before..).unwrap_or_default();
                if !arrived.is_empty() {
                    this.offers.ignore_in(arrived);
                    this.clock.received();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.clock.check(context, &this.open).map(Err),
        }
    }
}

impl AsyncWrite for ClientConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(count)) => {
                this.offers.expect_head();
                this.clock.sent(count);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.clock.blocked();
                this.clock.check(context, &this.open).map(Err)
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
