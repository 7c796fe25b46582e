//! Offers of another protocol.
//!
//! Java's HTTP client and curl offer HTTP/2 in the head of a request (`Connection: Upgrade,
//! HTTP2-Settings`). A server may ignore the offer (RFC 9110 §7.8). actix-http does not: its answer
//! says `connection: upgrade`, and the connection closes, which loses a request that is on its way.

use memchr::memchr;

const CONNECTION: &[u8] = b"connection:";
const UPGRADE: &[u8] = b"upgrade";

/// A reader of the bytes of a connection that removes the option `upgrade` from the header
/// `Connection`. It reads each head once, wherever the head is divided.
#[derive(Debug)]
pub(super) struct UpgradeOffers(Place);

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Within the name of a header, which agrees with [`CONNECTION`] so far.
    Name(usize),
    /// Within a line that does not matter.
    Line,
    /// Within an option of `Connection`, which agrees with [`UPGRADE`] so far.
    Option(usize),
    /// Within another option.
    OtherOption,
    /// Behind the head.
    Body,
}

impl Default for UpgradeOffers {
    fn default() -> UpgradeOffers {
        UpgradeOffers(Place::Name(0))
    }
}

impl UpgradeOffers {
    /// Expects the next byte to begin a head: an answer was sent.
    pub(super) fn expect_head(&mut self) {
        if matches!(self.0, Place::Body) {
            self.0 = Place::Name(0);
        }
    }

    /// Replaces the last letter of each offer in `bytes` by a blank.
    pub(super) fn ignore_in(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get_mut(at..)
            && let Some(byte) = rest.first_mut()
        {
            match self.0 {
                Place::Body => return,
                Place::Name(count) => self.0 = in_name(count, *byte),
                Place::Option(count) => {
                    self.0 = in_option(count, *byte);
                    if matches!(self.0, Place::Option(end) if end == UPGRADE.len()) {
                        *byte = b' ';
                        self.0 = Place::OtherOption;
                    }
                }
                Place::OtherOption if *byte == b',' => self.0 = Place::Option(0),
                Place::OtherOption if *byte == b'\n' => self.0 = Place::Name(0),
                Place::OtherOption => {}
                Place::Line => {
                    let Some(end) = memchr(b'\n', rest) else { return };
                    at += end;
                    self.0 = Place::Name(0);
                }
            }
            at += 1;
        }
    }
}

fn in_name(count: usize, byte: u8) -> Place {
    match CONNECTION.get(count) {
        Some(letter) if byte.eq_ignore_ascii_case(letter) => match count + 1 {
            all if all == CONNECTION.len() => Place::Option(0),
            more => Place::Name(more),
        },
        _ if byte == b'\n' && count == 0 => Place::Body,
        _ if byte == b'\n' => Place::Name(0),
        _ if byte == b'\r' && count == 0 => Place::Name(0),
        _ => Place::Line,
    }
}

fn in_option(count: usize, byte: u8) -> Place {
    match UPGRADE.get(count) {
        Some(letter) if byte.eq_ignore_ascii_case(letter) => Place::Option(count + 1),
        _ if byte == b'\n' => Place::Name(0),
        _ if matches!(byte, b',' | b' ' | b'\t') => Place::Option(0),
        _ => Place::OtherOption,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes as actix-http reads them, arriving in pieces of `size`.
    fn read(text: &str, size: usize) -> String {
        let mut offers = UpgradeOffers::default();
        let mut bytes = text.as_bytes().to_vec();
        bytes.chunks_mut(size).for_each(|piece| offers.ignore_in(piece));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_offer_is_removed_wherever_the_head_is_divided() {
        let head = "POST /orders HTTP/1.1\r\nHost: a\r\nCONNECTION: keep-alive, Upgrade, \
                    HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n{\"a\":1}\nConnection: Upgrade\r\n";
        let wanted = head.replacen(", Upgrade,", ", Upgrad ,", 1);
        for size in 1..head.len() {
            assert_eq!(read(head, size), wanted, "{size}");
        }
    }

    #[test]
    fn other_heads_stay_as_they_are() {
        for head in [
            "GET /upgrade HTTP/1.1\r\nConnection: keep-alive\r\nX-Connection: Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: close\r\nUpgrade: h2c\r\n\r\n",
            "GET / HTTP/1.1\r\nConnections: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ] {
            assert_eq!(read(head, 7), head);
        }
    }

    #[test]
    fn the_head_of_a_later_request_is_read_too() {
        let mut offers = UpgradeOffers::default();
        for _ in 0..2 {
            let mut bytes = *b"GET / HTTP/1.1\r\nConnection: upgrade\r\n\r\n";
            offers.ignore_in(&mut bytes);
            assert!(bytes.ends_with(b"upgrad \r\n\r\n"));
            offers.expect_head();
        }
    }
}
