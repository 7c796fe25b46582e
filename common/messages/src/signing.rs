//! The signature of an order's object in a payment request: a sender without the key cannot set a
//! price. docs/messages.md, "Signature", is the same contract for other languages.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::Sha256;

/// Name of the field that holds the signature.
const SIGNATURE: &str = "signature";
/// Least length of a key, in characters.
const KEY_MIN: usize = 32;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The keys of signatures: the first one signs, each of them is accepted. Debug shows none.
#[derive(Clone)]
pub struct SigningKeys {
    first: Hmac<Sha256>,
    others: Vec<Hmac<Sha256>>,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(hidden)")
    }
}

impl SigningKeys {
    /// Reads keys separated by commas; blanks around them do not count.
    ///
    /// # Errors
    /// The form of keys, without the text.
    pub fn parse(text: &str) -> Result<SigningKeys, String> {
        const FORM: &str = "a key of 32 characters or more, or several separated by commas";
        let key = |key: &str| {
            let key = key.trim();
            let long = key.chars().count() >= KEY_MIN;
            long.then(|| Hmac::new_from_slice(key.as_bytes()).ok()).flatten()
        };
        let mut keys = text.split(',').map(key);
        let first = keys.next().flatten().ok_or(FORM)?;
        let others: Option<Vec<_>> = keys.collect();
        Ok(SigningKeys { first, others: others.ok_or(FORM)? })
    }

    /// Adds the signature to an object without one. `object` is its JSON text without blanks at the
    /// end.
    pub(crate) fn sign(&self, object: &mut Vec<u8>) {
        let signature = std::str::from_utf8(object).ok().and_then(|text| self.signature_of(text));
        if let Some(signature) = signature
            && object.pop_if(|last| *last == b'}').is_some()
        {
            object.extend_from_slice(b",\"signature\":\"");
            object.extend(signature);
            object.extend_from_slice(b"\"}");
        }
    }

    fn signature_of(&self, object: &str) -> Option<Vec<u8>> {
        let fields = sorted_fields(object).ok()?;
        let signature = fed(&self.first, &fields).finalize().into_bytes();
        Some(signature.iter().flat_map(|byte| hex(*byte)).collect())
    }

    /// Checks the signature of an order's object.
    ///
    /// # Errors
    /// The reason why it does not fit.
    pub fn verify(&self, object: &[u8]) -> Result<(), &'static str> {
        let text = std::str::from_utf8(object).map_err(|_| "the object is not UTF-8")?;
        let mut fields = sorted_fields(text)?;
        let found = fields.iter().position(|(name, _)| name == SIGNATURE);
        let (_, signature) = fields.remove(found.ok_or("the object has no signature")?);
        let signature = signature.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let signature = signature.and_then(unhex).ok_or("the signature is not 64 hex digits")?;
        // The comparison takes the same time however many bytes agree.
        let fits = |key| fed(key, &fields).verify_slice(&signature).is_ok();
        match fits(&self.first) || self.others.iter().any(fits) {
            true => Ok(()),
            false => Err("the signature does not fit the object"),
        }
    }
}

/// The fields of an object by their names, in the order of the names.
fn sorted_fields(object: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, &'static str> {
    let Fields(mut fields) = serde_json::from_str(object).map_err(|_| "not an object")?;
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    if fields.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err("a field occurs twice");
    }
    // With such a name, two fields could be signed and one be sent.
    if fields.iter().any(|(name, _)| name.contains(['=', '\n'])) {
        return Err("the name of a field contains = or a line feed");
    }
    Ok(fields)
}

/// `name=value` of each field, joined by line feeds, behind the key.
fn fed(key: &Hmac<Sha256>, fields: &[(Cow<'_, str>, &RawValue)]) -> Hmac<Sha256> {
    let mut mac = key.clone();
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            mac.update(b"\n");
        }
        mac.update(name.as_bytes());
        mac.update(b"=");
        mac.update(value.get().as_bytes());
    }
    mac
}

fn hex(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or_default();
    [digit(byte >> 4), digit(byte & 15)]
}

/// The bytes of 64 hexadecimal digits of either case.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// The fields of an object in their order, those that occur twice included.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields<'a>, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// A name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "an older key of the same length or more";

    fn keys(text: &str) -> SigningKeys {
        SigningKeys::parse(text).unwrap()
    }

    fn signed(key: &str, object: &str) -> String {
        let mut text = object.as_bytes().to_vec();
        keys(key).sign(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_signature_is_that_of_the_documented_example() {
        let object = r#"{"orderId":"0197f3c6-7a3e-7c31-a7c5-1c2b3d4e5f60","totalPrice":199,"currency":"USD","customerId":"1"}"#;
        let canonical = "currency=\"USD\"\ncustomerId=\"1\"\n\
                         orderId=\"0197f3c6-7a3e-7c31-a7c5-1c2b3d4e5f60\"\ntotalPrice=199";
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(canonical.as_bytes());
        let hex: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            signed(KEY, object),
            object.replace('}', &format!(",\"signature\":\"{hex}\"}}"))
        );
    }

    #[test]
    fn whatever_is_changed_in_a_signed_object_the_signature_does_not_fit() {
        let object = signed(KEY, r#"{"b":199,"a":"x","new":{"c":[1,2]}}"#);
        keys(KEY).verify(object.as_bytes()).unwrap();
        for (from, to) in [
            ("199", "1"),
            ("\"x\"", "\"y\""),
            ("\"a\":\"x\",", ""),
            ("[1,2]", "[1, 2]"),
            ("\"b\"", "\"b2\""),
            ("{\"b\"", "{\"z\":0,\"b\""),
            ("{\"b\"", "{\"b\":1,\"b\""),
            ("\"signature\":\"", "\"signature\":\"0"),
            (",\"signature\"", ",\"other\""),
            ("\"a\":\"x\"", "\"a\":\"x\",\"q=1\\nr\":2"),
        ] {
            let changed = object.replacen(from, to, 1);
            assert_ne!(changed, object, "{from}");
            assert!(keys(KEY).verify(changed.as_bytes()).is_err(), "{changed}");
        }
        for nonsense in ["", "[]", "1", "{}", "{\"signature\":1}", "{\"signature\":\"\"}"] {
            assert!(keys(KEY).verify(nonsense.as_bytes()).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn the_order_of_fields_and_blanks_between_them_do_not_count() {
        let object = signed(KEY, r#"{"b":199,"a":"x"}"#);
        let signature = object.split_once("\"signature\":").unwrap().1.trim_end_matches('}');
        let other = format!("{{ \"signature\" : {signature},\n\"a\" :\"x\", \"b\": 199 }} ");
        keys(KEY).verify(other.as_bytes()).unwrap();
    }

    #[test]
    fn the_first_key_signs_and_every_key_is_accepted() {
        let both = format!("{OTHER} , {KEY}");
        let object = signed(&both, r#"{"a":1}"#);
        assert_eq!(object, signed(OTHER, r#"{"a":1}"#));
        keys(&both).verify(object.as_bytes()).unwrap();
        keys(&format!("{KEY},{OTHER}")).verify(object.as_bytes()).unwrap();
        assert!(keys(KEY).verify(object.as_bytes()).is_err());
    }

    #[test]
    fn short_keys_are_refused_and_none_is_shown() {
        for wrong in ["short", &format!("{KEY},"), &format!("{KEY},short"), ","] {
            let why = SigningKeys::parse(wrong).unwrap_err();
            assert!(!why.contains("short") && !why.contains(KEY), "{why}");
        }
        assert_eq!(format!("{:?}", keys(KEY)), "SigningKeys(hidden)");
    }
}
