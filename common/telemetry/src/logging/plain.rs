use std::borrow::Cow;

use log::kv::{Error, Key, Value, VisitSource};

/// Passes a log line to `write` with all control characters in its texts escaped as in Rust. Texts
/// from other programs could otherwise command the terminal, or end the line and forge another one.
pub(super) fn with_plain_text(record: &log::Record<'_>, write: impl FnOnce(&log::Record<'_>)) {
    let message = match record.args().as_str() {
        // A literal of this program.
        Some(literal) => Cow::Borrowed(literal),
        None => Cow::Owned(escaped(record.args().to_string())),
    };
    let mut fields = Plain::default();
    // The visit cannot fail: this visitor accepts every field.
    drop(record.key_values().visit(&mut fields));
    write(&record.to_builder().args(format_args!("{message}")).key_values(&fields.0).build());
}

fn escaped(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    plain
}

/// The fields of a line, as escaped text.
#[derive(Default)]
struct Plain(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Plain {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.push((key.to_string(), escaped(value.to_string())));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_other_programs_cannot_end_a_line_or_command_a_terminal() {
        let foreign = String::from("x\r\ny\u{9b}");
        let fields = [("reason", "a\u{1b}[2Jb\n"), ("queue", "q")];
        let mut seen = String::new();
        let mut see = |record: &log::Record<'_>| {
            seen = record.args().to_string();
            for key in ["reason", "queue"] {
                seen.push_str(&record.key_values().get(Key::from(key)).unwrap().to_string());
            }
        };
        let mut record = log::Record::builder();
        let record = record.key_values(&fields);
        with_plain_text(&record.args(format_args!("dead letter: {foreign}")).build(), &mut see);
        assert_eq!(seen, "dead letter: x\\r\\ny\\u{9b}a\\u{1b}[2Jb\\nq");
    }
}
