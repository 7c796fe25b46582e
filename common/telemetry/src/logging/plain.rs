use std::borrow::Cow;

use log::kv::{Error, Key, Value, VisitSource};

/// Gives a line that is text to `take`, with everything in it that would command a terminal, or end the
/// line and begin another one, written as Rust writes it: much of it comes from other programs.
pub(super) fn with_plain_text(record: &log::Record<'_>, take: impl FnOnce(&log::Record<'_>)) {
    let message = match record.args().as_str() {
        Some(ours) => Cow::Borrowed(ours),
        None => Cow::Owned(escaped(record.args().to_string())),
    };
    let mut fields = Plain::default();
    // Only a visitor that refuses could stop the visit, and this one takes everything.
    drop(record.key_values().visit(&mut fields));
    take(&record.to_builder().args(format_args!("{message}")).key_values(&fields.0).build());
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

/// The fields of a line as text.
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
    fn what_others_bring_ends_no_line_and_commands_no_terminal() {
        let brought = String::from("x\r\ny\u{9b}");
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
        with_plain_text(&record.args(format_args!("parked: {brought}")).build(), &mut see);
        assert_eq!(seen, "parked: x\\r\\ny\\u{9b}a\\u{1b}[2Jb\\nq");
    }
}
