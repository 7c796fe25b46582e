//! The reading side of a connection: frames that the client library would not survive are replaced
//! before it sees them, and bodies wait in the socket while too many bytes are unacked.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::frames::{
    FRAME_END, HEAD_BYTES, body_size, harmless_header, header_frame, replaced_header,
};
use crate::methods::{mend_method, tuned_frame_max};
use crate::unacked_bytes::{Admission, UnackedBytes};

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;
/// Largest frame that is kept to be looked at. The properties of a larger one are left out unread.
const KEPT_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a larger content header that are needed for its replacement: head, class, weight, body
/// size, and no flags.
const NEEDED_BYTES: usize = HEAD_BYTES + 12;
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const TOO_LARGE: &str = "its properties do not fit into a frame";

/// A stream from a broker, screened.
#[derive(Debug)]
pub(crate) struct Screen<S> {
    inner: S,
    /// Bytes from the broker: handed out up to `start`, screened up to `ready`, read up to `end`.
    buffer: Vec<u8>,
    start: usize,
    ready: usize,
    end: usize,
    /// Bytes behind `ready` that need no screening.
    passing: usize,
    /// Bytes behind `ready` that are dropped.
    dropping: usize,
    /// A frame to hand out in place of one from the broker, and the bytes of it handed out.
    replacement: Vec<u8>,
    handed: usize,
    /// Largest frame that the client accepts; 0 means any.
    frame_max: u32,
    bytes: Option<UnackedBytes>,
}

/// The state of the next frame.
enum Next {
    /// Some bytes are screened.
    Screened,
    /// More bytes are needed.
    NeedsBytes,
    /// There is no room for the body that follows.
    NoRoom,
}

impl<S> Screen<S> {
    /// Screens what comes from `inner` for a client that accepts frames of `frame_max` bytes.
    pub(crate) fn new(inner: S, frame_max: u32, bytes: Option<UnackedBytes>) -> Screen<S> {
        Screen {
            inner,
            buffer: vec![0; READ_BYTES],
            start: 0,
            ready: 0,
            end: 0,
            passing: 0,
            dropping: 0,
            replacement: Vec::new(),
            handed: 0,
            frame_max,
            bytes,
        }
    }

    /// Hands out screened bytes. Returns their number.
    fn hand_out(&mut self, to: &mut [u8]) -> usize {
        let replaced = self.replacement.get(self.handed..).unwrap_or_default();
        let from = match replaced.is_empty() {
            false => replaced,
            true => self.buffer.get(self.start..self.ready).unwrap_or_default(),
        };
        let count = from.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
            to.copy_from_slice(from);
        }
        match self.handed < self.replacement.len() {
            true => self.handed += count,
            false => self.start += count,
        }
        count
    }

    /// Screens the next frame. Everything screened before has been handed out.
    fn screen_next(&mut self, cx: &Context<'_>) -> io::Result<Next> {
        let unread = self.end - self.ready;
        if self.dropping > 0 {
            let dropped = self.dropping.min(unread);
            self.dropping -= dropped;
            self.ready += dropped;
            self.start = self.ready;
            return Ok(if self.dropping > 0 { Next::NeedsBytes } else { Next::Screened });
        }
        if self.passing > 0 {
            let passed = self.passing.min(unread);
            self.passing -= passed;
            self.ready += passed;
            return Ok(if passed > 0 { Next::Screened } else { Next::NeedsBytes });
        }
        let frames = self.buffer.get(self.ready..self.end).unwrap_or_default();
        let Some((&[kind, high, low, s0, s1, s2, s3], _)) = frames.split_first_chunk() else {
            return Ok(Next::NeedsBytes);
        };
        let payload = usize::try_from(u32::from_be_bytes([s0, s1, s2, s3])).unwrap_or(usize::MAX);
        let total = payload.saturating_add(HEAD_BYTES + 1);
        match kind {
            HEADER => self.screen_header([high, low], total, cx),
            METHOD if total <= KEPT_BYTES_MAX => Ok(self.screen_method(total)),
            // A body, a heartbeat, or an answer that is not AMQP 0-9-1 at all.
            _ => {
                self.passing = total;
                Ok(Next::Screened)
            }
        }
    }

    fn screen_method(&mut self, total: usize) -> Next {
        if self.end - self.ready < total {
            return Next::NeedsBytes;
        }
        let payload = self.ready + HEAD_BYTES..self.ready + total - 1;
        let payload = self.buffer.get_mut(payload).unwrap_or_default();
        if let Some(proposed) = tuned_frame_max(payload).filter(|proposed| *proposed > 0) {
            self.frame_max = match self.frame_max {
                0 => proposed,
                own => own.min(proposed),
            };
        }
        mend_method(payload);
        self.ready += total;
        Next::Screened
    }

    fn screen_header(
        &mut self,
        channel: [u8; 2],
        total: usize,
        cx: &Context<'_>,
    ) -> io::Result<Next> {
        let kept = total <= KEPT_BYTES_MAX;
        let needed = if kept { total } else { NEEDED_BYTES };
        if self.end - self.ready < needed {
            return Ok(Next::NeedsBytes);
        }
        let frame = self.buffer.get(self.ready..self.ready + needed).unwrap_or_default();
        let payload = frame.get(HEAD_BYTES..).unwrap_or_default();
        let payload = payload.strip_suffix(&[FRAME_END]).filter(|_| kept).unwrap_or(payload);
        if let Some(bytes) = &self.bytes {
            match bytes.admit(body_size(payload), cx.waker()) {
                Admission::Admitted => {}
                Admission::Waits => return Ok(Next::NoRoom),
                Admission::Ended => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        let frame_max = usize::try_from(self.frame_max).unwrap_or(usize::MAX);
        let fits = kept && (frame_max == 0 || total <= frame_max);
        let harmless = match fits {
            true => harmless_header(payload),
            false => Some(replaced_header(payload, TOO_LARGE)),
        };
        match harmless {
            None => self.ready += total,
            Some(payload) => {
                self.replacement = header_frame(channel, &payload);
                self.handed = 0;
                self.dropping = total;
            }
        }
        Ok(Next::Screened)
    }

    /// Moves the unscreened bytes to the front, and makes room behind them.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.ready -= self.start;
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            self.buffer.resize(self.end + READ_BYTES, 0);
        } else if self.end == 0 {
            self.buffer.truncate(READ_BYTES);
            self.buffer.shrink_to_fit();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Screen<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let count = this.hand_out(to);
            if count > 0 {
                return Poll::Ready(Ok(count));
            }
            match this.screen_next(cx)? {
                Next::Screened => continue,
                Next::NoRoom => return Poll::Pending,
                Next::NeedsBytes => this.make_room(),
            }
            let room = this.buffer.get_mut(this.end..).unwrap_or_default();
            let count = ready!(Pin::new(&mut this.inner).poll_read(cx, room))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            this.end += count;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Screen<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests;
