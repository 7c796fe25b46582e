//! Bodies, most of them bad, with the expected dead letters of each.

use testkit::world::Order;

use super::chance::Chance;

/// The largest body that is parsed.
const BODY_MAX: usize = 1024 * 1024;

/// An expected dead letter: a reason and a body.
pub(super) type DeadLetter = (&'static str, Vec<u8>);

/// A body for one of the queues.
pub(super) struct Body {
    pub(super) queue: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) dead: Vec<DeadLetter>,
}

/// A random body for a random queue. Its good parts concern one of `orders`.
pub(super) fn any(chance: &mut Chance, orders: &[Order]) -> Body {
    let queue = chance.one_of(&["processingorders", "processedorders"]);
    if chance.once_in(5) {
        return pack(chance, queue, orders);
    }
    if chance.once_in(5) {
        let (text, reason) = object(chance, queue, orders);
        // A list alone would be a batch message.
        let bytes = if text.starts_with('[') { format!("[{text}]") } else { text.clone() };
        let dead = reason.map(|reason| (reason, text.into_bytes()));
        return Body { queue, bytes: bytes.into_bytes(), dead: dead.into_iter().collect() };
    }
    let bytes = nonsense(chance, queue, orders);
    Body { queue, dead: vec![("unreadable", bytes.clone())], bytes }
}

/// A batch message of good and bad objects; each bad object is dead-lettered alone.
fn pack(chance: &mut Chance, queue: &'static str, orders: &[Order]) -> Body {
    let objects: Vec<_> = (0..=chance.below(20)).map(|_| object(chance, queue, orders)).collect();
    let texts: Vec<_> = objects.iter().map(|(text, _)| text.as_str()).collect();
    let bytes = format!("[{}]", texts.join(chance.one_of(&[",", " ,\n"]))).into_bytes();
    let dead = objects.into_iter().filter_map(|(text, reason)| Some((reason?, text.into_bytes())));
    Body { queue, bytes, dead: dead.collect() }
}

/// One JSON value, and the reason for which it is dead-lettered, unless it is good.
fn object(chance: &mut Chance, queue: &str, orders: &[Order]) -> (String, Option<&'static str>) {
    let order = chance.one_of(orders).id.to_string();
    let good = good(queue, &order);
    let bad = match chance.below(12) {
        0..3 => return (good, None),
        3 if queue == "processedorders" => {
            let unknown = format!("00000000-0000-4000-8000-{:012x}", chance.number() >> 16);
            return (self::good(queue, &unknown), Some("unknown_order"));
        }
        3 | 4 => good.replacen("\":", "\":[", 1).replacen(',', "],", 1),
        5 => good.replacen('{', "{\"orderId\":\"x\",", 1),
        6 => good.replacen("\"orderId\"", "\"orderid\"", 1),
        7 => number_as_total(chance, good),
        8 if queue == "processingorders" => format!(r#"["{order}",199,"USD","1",null,null]"#),
        8 => format!(r#"["{order}","successful",null,null,null]"#),
        9 => chance.one_of(&["null", "true", "0", "1e999", "\"\\ud800\"", "{}"]).to_owned(),
        10 => "[".repeat(50) + &"]".repeat(50),
        _ => good.replacen(&order, &order[1..], 1),
    };
    (bad, Some("unreadable"))
}

fn good(queue: &str, order: &str) -> String {
    match queue {
        "processingorders" => format!(
            r#"{{"orderId":"{order}","totalPrice":199,"currency":"USD","customerId":"1","new":[1e999]}}"#
        ),
        _ => format!(r#"{{"orderId":"{order}","paymentStatus":"successful"}}"#),
    }
}

/// Replaces the total of a request, or the status of a result, by a number.
fn number_as_total(chance: &mut Chance, good: String) -> String {
    let wrong = chance.one_of(&["1e400", "-1", "0.001", "\"199\"", "1e99999999999", "null", "[]"]);
    good.replace(":199,", &format!(":{wrong},")).replace("\"successful\"", wrong)
}

/// A body that cannot be read at all.
fn nonsense(chance: &mut Chance, queue: &str, orders: &[Order]) -> Vec<u8> {
    let good = good(queue, &chance.one_of(orders).id.to_string()).into_bytes();
    let size = chance.below(300);
    match chance.below(10) {
        0 => Vec::new(),
        1 => [b"\xff".to_vec(), chance.bytes(size)].concat(),
        2 | 3 => good[..1 + size % (good.len() - 1)].to_vec(),
        4 => "[".repeat(1 + chance.below(3_000)).into_bytes(),
        5 => "{\"orderId\":".repeat(1 + chance.below(500)).into_bytes(),
        6 => [&good[..], b"}"].concat(),
        7 => chance.one_of(&["[]", " [ ] ", "NaN", "{\"totalPrice\":NaN}", "\u{0}"]).into(),
        8 => {
            let mut bytes = good;
            let at = chance.below(bytes.len());
            bytes[at] = 0xc0;
            bytes
        }
        _ if chance.once_in(50) => {
            let pad = BODY_MAX + 1 + size - good.len();
            [good, b" ".repeat(pad)].concat()
        }
        _ if chance.once_in(50) => {
            let many = vec![String::from_utf8(good).unwrap(); 1001];
            format!("[{}]", many.join(",")).into_bytes()
        }
        _ => [&good[..], b",", &good[..]].concat(),
    }
}
