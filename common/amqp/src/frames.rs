//! Frames that the client library does not survive, replaced by harmless ones.
//!
//! lapin parses a field table by recursion on a stack of 2 MiB, and gives the connection up over a
//! text that is not UTF-8 or a frame above the negotiated size. Each would take every other unacked
//! message along, so [`Screen`](crate::screen::Screen) passes every frame with properties or texts
//! through here first.

use crate::unread::Unread;

/// Header that replaces the headers of a message whose properties the client could not parse; the
/// value is the reason.
pub(crate) const UNREADABLE: &str = "x-ordermill-unreadable";
/// Bytes before the payload of a frame: type, channel, size.
pub(crate) const HEAD_BYTES: usize = 7;
/// Last byte of a frame.
pub(crate) const FRAME_END: u8 = 0xce;
/// Bytes of a content header before its properties: class, weight, body size.
const FIXED_BYTES: usize = 12;
/// Largest depth of arrays and tables in headers; `x-death` has a depth of 2.
const DEPTH_MAX: usize = 32;
/// The flag of the headers among the property flags.
const HEADERS_FLAG: u16 = 1 << 13;

/// The form of a property.
#[derive(Clone, Copy)]
enum Form {
    ShortText,
    Headers,
    Octet,
    Time,
}

/// The properties by their flags, in the order of the wire (AMQP 0-9-1, class basic).
const PROPERTIES: [(u16, Form); 14] = [
    (1 << 15, Form::ShortText),
    (1 << 14, Form::ShortText),
    (HEADERS_FLAG, Form::Headers),
    (1 << 12, Form::Octet),
    (1 << 11, Form::Octet),
    (1 << 10, Form::ShortText),
    (1 << 9, Form::ShortText),
    (1 << 8, Form::ShortText),
    (1 << 7, Form::ShortText),
    (1 << 6, Form::Time),
    (1 << 5, Form::ShortText),
    (1 << 4, Form::ShortText),
    (1 << 3, Form::ShortText),
    (1 << 2, Form::ShortText),
];

/// The size of the body that a content header announces.
pub(crate) fn body_size(payload: &[u8]) -> u64 {
    let mut unread = Unread(payload);
    unread.take(4).and_then(|_| unread.array()).map(u64::from_be_bytes).unwrap_or(0)
}

/// The fault of a property that the client could not parse.
struct Unparsable {
    why: &'static str,
    /// The bytes behind it cannot be read either.
    cut: bool,
}

const CUT: Unparsable = Unparsable { why: "its properties end too early", cut: true };
const NOT_UTF8: Unparsable =
    Unparsable { why: "a property or the name of a header is not UTF-8", cut: false };
const TOO_DEEP: Unparsable = Unparsable { why: "its headers are nested too deep", cut: false };
const UNKNOWN_TYPE: Unparsable =
    Unparsable { why: "its headers have a value of an unknown type", cut: false };

/// A content header for the same body without what the client could not parse, or `None` if the
/// client can parse `payload`.
pub(crate) fn harmless_header(payload: &[u8]) -> Option<Vec<u8>> {
    let mut unread = Unread(payload);
    unread.take(FIXED_BYTES)?;
    let flags = unread.array().map(u16::from_be_bytes)?;
    let mut present = PROPERTIES.iter().filter(|(flag, _)| flags & flag != 0);
    let fault = present.find_map(|(_, form)| read(&mut unread, *form).err())?;
    Some(replaced_header(payload, fault.why))
}

/// A content header for the same body with the properties that the client can parse, and with `why`
/// in place of the headers.
pub(crate) fn replaced_header(payload: &[u8], why: &str) -> Vec<u8> {
    let mut unread = Unread(payload);
    let fixed = unread.take(FIXED_BYTES).unwrap_or_default();
    let flags = unread.array().map(u16::from_be_bytes).unwrap_or_default();
    let (mut kept, mut properties, mut cut) = (HEADERS_FLAG, Vec::new(), false);
    for (flag, form) in PROPERTIES {
        let before = unread.0;
        let outcome = match flags & flag != 0 && !cut {
            true => read(&mut unread, form),
            false => Ok(()),
        };
        let length = before.len() - unread.0.len();
        match outcome {
            _ if flag == HEADERS_FLAG => properties.extend(headers_with(why)),
            Ok(()) if length > 0 => {
                kept |= flag;
                properties.extend(before.get(..length).unwrap_or_default());
            }
            Ok(()) | Err(_) => {}
        }
        cut |= outcome.is_err_and(|fault| fault.cut);
    }
    [fixed, &kept.to_be_bytes(), &properties].concat()
}

/// A table with the one header [`UNREADABLE`].
fn headers_with(why: &str) -> Vec<u8> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(0).to_be_bytes();
    let name_length = u8::try_from(UNREADABLE.len()).unwrap_or(0);
    let entry =
        [&[name_length], UNREADABLE.as_bytes(), b"S", &length(why), why.as_bytes()].concat();
    let size = u32::try_from(entry.len()).unwrap_or(0).to_be_bytes();
    [&size, entry.as_slice()].concat()
}

/// Reads over one property.
fn read(unread: &mut Unread<'_>, form: Form) -> Result<(), Unparsable> {
    match form {
        Form::ShortText => check_text(unread.short_text()),
        Form::Headers => check_table(unread.long().ok_or(CUT)?),
        Form::Octet => unread.take(1).map(drop).ok_or(CUT),
        Form::Time => unread.take(8).map(drop).ok_or(CUT),
    }
}

fn check_text(text: Option<&[u8]>) -> Result<(), Unparsable> {
    std::str::from_utf8(text.ok_or(CUT)?).map(drop).map_err(|_| NOT_UTF8)
}

/// The unread rest of a table, or of an array, whose values have no names.
struct Level<'a> {
    unread: Unread<'a>,
    named: bool,
}

/// Walks through a table without recursion.
fn check_table(table: &[u8]) -> Result<(), Unparsable> {
    const BROKEN: Unparsable = Unparsable { why: "its headers are broken", cut: false };
    let mut outer: Vec<Level<'_>> = Vec::new();
    let mut level = Level { unread: Unread(table), named: true };
    loop {
        if level.unread.0.is_empty() {
            let Some(above) = outer.pop() else { return Ok(()) };
            level = above;
            continue;
        }
        if level.named {
            let name = level.unread.short_text().ok_or(BROKEN)?;
            check_text(Some(name))?;
        }
        let kind = level.unread.octet().ok_or(BROKEN)?;
        let size = match kind {
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'U' | b'u' => 2,
            b'I' | b'i' | b'f' => 4,
            b'D' => 5,
            b'L' | b'l' | b'd' | b'T' => 8,
            b'S' | b'x' => {
                level.unread.long().ok_or(BROKEN)?;
                0
            }
            b'A' | b'F' => {
                let inner = Unread(level.unread.long().ok_or(BROKEN)?);
                if outer.len() + 2 > DEPTH_MAX {
                    return Err(TOO_DEEP);
                }
                let inner = Level { unread: inner, named: kind == b'F' };
                outer.push(std::mem::replace(&mut level, inner));
                0
            }
            _ => return Err(UNKNOWN_TYPE),
        };
        level.unread.take(size).ok_or(BROKEN)?;
    }
}

/// A frame of type 2, a content header.
pub(crate) fn header_frame(channel: [u8; 2], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    [&[2], channel.as_slice(), &size, payload, &[FRAME_END]].concat()
}

#[cfg(test)]
mod tests;
