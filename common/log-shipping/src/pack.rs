//! A message of log lines: newline-delimited JSON, with the process and the number of its first
//! line, which make each line unique.

use std::collections::VecDeque;

use amqp::integer;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use service::unix_seconds;

/// Maximum number of lines in a message.
pub(crate) const PACK_LINES_MAX: usize = 256;
/// Maximum size of a message, unless its first line alone is larger.
const PACK_BYTES_MAX: usize = 64 * 1024;

const INSTANCE: &str = "x-instance";
const SEQUENCE: &str = "x-sequence";

/// Consecutive lines of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pack {
    /// The number of the first line; every line counts one up.
    pub(crate) first: u64,
    pub(crate) lines: u64,
    pub(crate) body: Vec<u8>,
}

impl Pack {
    /// Takes as many lines from the front of `waiting` as fit; the first one always fits.
    pub(crate) fn take_from(waiting: &mut VecDeque<String>, first: u64) -> Pack {
        let mut pack = Pack { first, lines: 0, body: Vec::new() };
        let mut lines = 0;
        while let Some(line) = waiting.front() {
            let bytes = pack.body.len() + line.len() + 1;
            if lines == PACK_LINES_MAX || (lines > 0 && bytes > PACK_BYTES_MAX) {
                break;
            }
            pack.body.extend_from_slice(line.as_bytes());
            pack.body.push(b'\n');
            waiting.pop_front();
            lines += 1;
        }
        pack.lines = u64::try_from(lines).unwrap_or(u64::MAX);
        pack
    }

    /// The properties of the message. The message is not persistent: the broker need not write to disk
    /// what fits into its memory.
    pub(crate) fn properties(&self, app: &str, instance: &str) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(INSTANCE.into(), AMQPValue::LongString(instance.into()));
        let first = i64::try_from(self.first).unwrap_or(i64::MAX);
        headers.insert(SEQUENCE.into(), AMQPValue::LongLongInt(first));
        BasicProperties::default()
            .with_content_type("application/x-ndjson".into())
            .with_type("log-lines".into())
            .with_app_id(app.into())
            .with_timestamp(unix_seconds())
            .with_delivery_mode(1)
            .with_headers(headers)
    }
}

/// A message of log lines as it arrived, from any sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPack {
    /// The body; lines, if the sender is one of our programs.
    pub body: Vec<u8>,
    /// The program that the message names as its sender.
    pub service: Option<String>,
    /// The sending process and the number of the first line. A repeated message repeats both.
    pub origin: Option<(String, u64)>,
    /// Time of sending, in seconds since 1970.
    pub sent_at: Option<u64>,
}

impl LogPack {
    /// The message with this body and these properties.
    pub(crate) fn new(body: Vec<u8>, properties: &BasicProperties) -> LogPack {
        let headers = properties.headers().as_ref();
        let instance = headers.and_then(|headers| headers.inner().get(INSTANCE));
        let instance = if let Some(AMQPValue::LongString(text)) = instance {
            String::from_utf8(text.as_bytes().to_vec()).ok()
        } else {
            None
        };
        let sequence = headers.and_then(|headers| integer(headers, SEQUENCE));
        let sequence = sequence.and_then(|number| u64::try_from(number).ok());
        LogPack {
            body,
            service: properties.app_id().as_ref().map(|app| app.as_str().to_owned()),
            origin: instance.zip(sequence),
            sent_at: *properties.timestamp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_bounded_in_lines_and_bytes_and_loses_nothing() {
        let mut waiting: VecDeque<String> = (0..300).map(|n| n.to_string()).collect();
        let first = Pack::take_from(&mut waiting, 7);
        assert_eq!((first.first, first.lines), (7, 256));
        let rest = Pack::take_from(&mut waiting, 263);
        assert_eq!((rest.lines, waiting.len()), (44, 0));
        assert!(rest.body.starts_with(b"256\n") && rest.body.ends_with(b"299\n"));

        let mut large: VecDeque<String> = (0..3).map(|_| "x".repeat(40_000)).collect();
        let pack = Pack::take_from(&mut large, 0);
        assert_eq!((pack.lines, large.len()), (1, 2));
    }

    #[test]
    fn the_properties_of_a_pack_are_read_back() {
        let pack = Pack::take_from(&mut VecDeque::from(["a".to_owned()]), 5);
        let read = LogPack::new(pack.body.clone(), &pack.properties("app", "here-1"));
        assert_eq!(read.origin, Some(("here-1".to_owned(), 5)));
        assert_eq!(read.service.as_deref(), Some("app"));
        assert!(read.sent_at.is_some());
        let bare = LogPack::new(Vec::new(), &BasicProperties::default());
        assert_eq!(bare, LogPack::default());
    }

    #[test]
    fn the_first_number_is_read_from_any_integer_type() {
        let origin = |number| {
            let mut headers = FieldTable::default();
            headers.insert(INSTANCE.into(), AMQPValue::LongString("here-1".into()));
            headers.insert(SEQUENCE.into(), number);
            LogPack::new(Vec::new(), &BasicProperties::default().with_headers(headers)).origin
        };
        let wanted = Some(("here-1".to_owned(), 5));
        assert_eq!(origin(AMQPValue::LongInt(5)), wanted);
        assert_eq!(origin(AMQPValue::ShortInt(5)), wanted);
        assert_eq!(origin(AMQPValue::ShortShortUInt(5)), wanted);
        assert_eq!(origin(AMQPValue::LongInt(-1)), None);
        assert_eq!(origin(AMQPValue::Double(5.0)), None);
    }
}
