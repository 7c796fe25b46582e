//! The body of an answer on its way to a client.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

use crate::open_requests::{OpenRequest, OpenRequests};

/// Bytes of a body that are copied into the buffer of a connection at a time. A client that does not
/// read keeps no more than these and [`WRITE_BUFFER`](crate::http_server) in memory, beside the body
/// that its own request has made.
pub(crate) const PIECE_MAX: usize = 4 * 1024;

/// The chunked body of a request, which its handler and its answer share.
///
/// While the answer holds an unread rest, actix-http closes the connection behind the answer. It
/// would otherwise wait for the end of a chunked body that nothing reads any more, for ever.
#[derive(Clone)]
struct SharedBody(Rc<RefCell<Payload>>);

impl Stream for SharedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

impl SharedBody {
    /// Shares the body of `request`, if it is chunked. A body of a known length needs no sharing.
    fn of(request: &mut ServiceRequest) -> Option<SharedBody> {
        if !request.chunked().unwrap_or(false) {
            return None;
        }
        let shared = SharedBody(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(shared.clone()) });
        Some(shared)
    }
}

/// The parts of a request that live until its answer is sent.
pub(crate) struct RequestParts {
    _open: Option<OpenRequest>,
    body: Option<SharedBody>,
}

impl RequestParts {
    /// The parts of `request`: its place among the open ones, and its body.
    pub(crate) fn of(request: &mut ServiceRequest) -> RequestParts {
        RequestParts {
            _open: request.conn_data::<OpenRequests>().map(OpenRequests::start),
            body: SharedBody::of(request),
        }
    }

    /// The body in pieces, together with these parts. A small body of a request without parts to
    /// keep stays as it is.
    pub(crate) fn kept_by(self, body: BoxBody) -> BoxBody {
        let size = body.size();
        let content = match (size, &self.body) {
            (BodySize::None, None) => return body,
            (BodySize::None, Some(_)) => Content::Whole(Bytes::new()),
            (BodySize::Sized(_) | BodySize::Stream, shared) => match body.try_into_bytes() {
                Ok(bytes) if bytes.len() <= PIECE_MAX && shared.is_none() => {
                    return BoxBody::new(bytes);
                }
                Ok(bytes) => Content::Whole(bytes),
                Err(body) => Content::Stream(body),
            },
        };
        BoxBody::new(AnswerBody { content, size, _parts: self })
    }
}

struct AnswerBody {
    content: Content,
    size: BodySize,
    _parts: RequestParts,
}

enum Content {
    Whole(Bytes),
    Stream(BoxBody),
}

impl MessageBody for AnswerBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match &mut self.get_mut().content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE_MAX));
                Poll::Ready(Some(Ok(piece)))
            }
            Content::Stream(body) => Pin::new(body).poll_next(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn no_parts() -> RequestParts {
        RequestParts { _open: None, body: None }
    }

    #[tokio::test]
    async fn a_large_body_leaves_in_small_pieces() {
        let whole: Vec<u8> = (0..10_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let mut body = no_parts().kept_by(BoxBody::new(whole.clone()));
        assert_eq!(body.size(), BodySize::Sized(10_000));
        let mut sent = Vec::new();
        while let Some(piece) = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await {
            let piece = piece.unwrap();
            assert!(piece.len() <= PIECE_MAX);
            sent.extend_from_slice(&piece);
        }
        assert_eq!(sent, whole);
    }

    #[test]
    fn a_small_body_and_none_stay_as_they_are() {
        assert_eq!(no_parts().kept_by(BoxBody::new(())).size(), BodySize::Sized(0));
        let none = BoxBody::new(actix_web::body::None::new());
        assert_eq!(no_parts().kept_by(none).size(), BodySize::None);
        let small = no_parts().kept_by(BoxBody::new("small"));
        assert!(small.try_into_bytes().is_ok());
    }
}
