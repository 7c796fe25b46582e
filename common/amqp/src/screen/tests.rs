use std::task::Waker;

use proptest::prelude::*;

use super::*;

/// A broker's bytes, in pieces of `piece` bytes.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    piece: usize,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = self.piece.min(to.len()).min(self.bytes.len() - self.at);
        to[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Poll::Ready(Ok(count))
    }
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header_frame([0, 1], payload);
    frame[0] = kind;
    frame
}

fn content_header(size: u64, flags: u16, properties: &[u8]) -> Vec<u8> {
    let mut payload = vec![0, 60, 0, 0];
    payload.extend(size.to_be_bytes());
    payload.extend(flags.to_be_bytes());
    payload.extend(properties);
    frame(HEADER, &payload)
}

fn read_all(screen: &mut Screen<Pieces>, piece: usize) -> Vec<u8> {
    let mut context = Context::from_waker(Waker::noop());
    let (mut all, mut to) = (Vec::new(), vec![0; piece]);
    while let Poll::Ready(Ok(count @ 1..)) = Pin::new(&mut *screen).poll_read(&mut context, &mut to)
    {
        all.extend(&to[..count]);
    }
    all
}

fn screened(bytes: Vec<u8>, piece: usize, frame_max: u32) -> Vec<u8> {
    read_all(&mut Screen::new(Pieces { bytes, at: 0, piece }, frame_max, None), piece)
}

proptest! {
    #[test]
    fn harmless_frames_pass_as_they_are_in_whatever_pieces_they_come(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5),
        piece in 1usize..200,
    ) {
        let mut sent = Vec::new();
        for body in &bodies {
            sent.extend(frame(METHOD, &[0, 60, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]));
            sent.extend(content_header(9, 1 << 7, &[2, b'i', b'd']));
            sent.extend(frame(3, body));
            sent.extend(frame(8, &[]));
        }
        prop_assert_eq!(screened(sent.clone(), piece, 4096), sent);
    }
}

#[test]
fn a_content_header_of_any_size_that_does_not_fit_is_replaced_and_the_next_frames_pass() {
    let behind = frame(3, b"body");
    for size in [5_000, KEPT_BYTES_MAX, 3 * KEPT_BYTES_MAX] {
        let mut table = u32::try_from(size).unwrap().to_be_bytes().to_vec();
        table.resize(4 + size, b'V');
        let sent = [content_header(7, 1 << 13, &table), behind.clone()].concat();
        let received = screened(sent, 1000, 4096);
        assert!(received.len() < 200 && received.ends_with(&behind), "{size}: {received:?}");
    }
}

#[test]
fn the_broker_lowers_the_size_of_frames() {
    let tune = frame(METHOD, &[0, 10, 0, 30, 0, 0, 0, 0, 16, 0, 0, 0]);
    let table = [5_000u32.to_be_bytes().as_slice(), &[b'V'; 5_000]].concat();
    let sent = [tune.clone(), content_header(7, 1 << 13, &table)].concat();
    assert!(screened(sent, 1000, 0).len() < tune.len() + 200);
}

#[test]
fn a_body_without_room_is_not_read_before_others_are_handled() {
    let one = [content_header(6, 0, &[]), frame(3, b"123456")].concat();
    let bytes = UnackedBytes::new(10);
    let pieces = Pieces { bytes: one.repeat(2), at: 0, piece: 50 };
    let mut screen = Screen::new(pieces, 4096, Some(bytes.clone()));
    assert_eq!(read_all(&mut screen, 50), one);
    assert_eq!(read_all(&mut screen, 50), b"");
    drop(bytes.held(6));
    assert_eq!(read_all(&mut screen, 50), one);
}
