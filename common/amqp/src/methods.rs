//! Methods of the broker that the client library does not survive, made harmless; and the one that the
//! screen learns from.

use std::ops::Range;

use crate::unread::Unread;

/// The largest frame that a `connection.tune` proposes; 0 means no limit.
pub(crate) fn tuned_frame_max(payload: &[u8]) -> Option<u32> {
    let mut unread = Unread(payload);
    let method = (unread.array().map(u16::from_be_bytes)?, unread.array().map(u16::from_be_bytes)?);
    unread.take(2)?;
    (method == (10, 30)).then(|| unread.array().map(u32::from_be_bytes)).flatten()
}

/// Replaces the bytes of texts that are not UTF-8 in the methods whose texts a sender chooses, or
/// the broker cuts: the names in deliveries and returns, and the reasons of closes.
pub(crate) fn mend_method(payload: &mut [u8]) {
    for range in broken_texts(payload).into_iter().flatten() {
        for byte in payload.get_mut(range).unwrap_or_default() {
            if !byte.is_ascii() {
                *byte = b'?';
            }
        }
    }
}

fn broken_texts(payload: &[u8]) -> [Option<Range<usize>>; 4] {
    const NONE: [Option<Range<usize>>; 4] = [const { None }; 4];
    let Some((method, _)) = payload.split_first_chunk::<4>() else { return NONE };
    // The bytes before the first text, by class and method; texts before and behind them.
    let (lead, skipped, texts) = match method {
        [0, 60, 0, 60] => (1, 9, 3),
        [0, 60, 0, 50] => (0, 2, 3),
        [0, 60, 0, 71] => (0, 9, 2),
        [0, 10, 0, 50] | [0, 20, 0, 40] => (0, 2, 1),
        [0, 10, 0, 60] => (0, 0, 1),
        _ => return NONE,
    };
    let mut found = NONE;
    let mut unread = Unread(payload.get(4..).unwrap_or_default());
    for (index, slot) in (0..texts).zip(&mut found) {
        if index == lead && unread.take(skipped).is_none() {
            break;
        }
        let Some(text) = unread.short_text() else { break };
        if std::str::from_utf8(text).is_err() {
            let end = payload.len() - unread.0.len();
            *slot = Some(end - text.len()..end);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_in_a_delivery_is_made_readable_and_keeps_its_length() {
        let deliver = |key: &[u8]| {
            let length = u8::try_from(key.len()).unwrap();
            [&[0, 60, 0, 60, 1, b'c', 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b'x', length], key].concat()
        };
        let mut payload = deliver(b"a\xff\xfe");
        mend_method(&mut payload);
        assert_eq!(payload, deliver(b"a??"));
        let mut readable = deliver("ä".as_bytes());
        mend_method(&mut readable);
        assert_eq!(readable, deliver("ä".as_bytes()));
    }

    #[test]
    fn the_frame_size_is_learned_from_the_brokers_proposal() {
        let tune = |method| [0, 10, 0, method, 7, 255, 0, 2, 0, 0, 0, 60];
        assert_eq!(tuned_frame_max(&tune(30)), Some(131_072));
        assert_eq!(tuned_frame_max(&tune(31)), None);
    }

    proptest! {
        #[test]
        fn no_method_breaks_the_mending(payload in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut mended = payload.clone();
            mend_method(&mut mended);
            prop_assert_eq!(mended.len(), payload.len());
        }
    }
}
