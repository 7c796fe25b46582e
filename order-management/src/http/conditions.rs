//! Conditional requests (RFC 9110 §13). The tag of a state is a digest of the body that shows it, so a state
//! that looks the same has the same tag, however it came about.

use actix_web::HttpRequest;
use actix_web::http::header::{self, EntityTag, Header as _, IfMatch, IfNoneMatch};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::input::Fields;
use crate::catalog::Condition;

/// Length of a tag, in bytes of the digest.
const TAG_BYTES: usize = 16;

/// Returns the tag of the state that a body shows.
pub(super) fn tag_of(body: &[u8]) -> EntityTag {
    let digest = Sha256::digest(body);
    EntityTag::new_strong(digest.iter().take(TAG_BYTES).map(|byte| format!("{byte:02x}")).collect())
}

/// Returns `true` if the client has the state already: `If-None-Match` names its tag.
pub(super) fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    if !request.headers().contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Reads `If-Match` of a request about an `R`, whose tags are those of `V`. A tag that a compressing proxy
/// has made weak counts as the tag: it names a state, not a sequence of bytes.
pub(super) fn if_match<R, V>(
    request: &HttpRequest,
    fields: &mut Fields,
) -> Condition<impl Fn(&R) -> bool + use<R, V>>
where
    V: for<'a> From<&'a R> + Serialize,
{
    if !request.headers().contains_key(header::IF_MATCH) {
        return Condition::None;
    }
    match IfMatch::parse(request) {
        Ok(IfMatch::Any) => Condition::Any,
        Ok(IfMatch::Items(tags)) if !tags.is_empty() => Condition::Only(move |seen: &R| {
            let body = serde_json::to_vec(&V::from(seen)).unwrap_or_default();
            let tag = tag_of(&body);
            tags.iter().any(|wanted| wanted.weak_eq(&tag))
        }),
        Ok(IfMatch::Items(_)) | Err(_) => {
            fields.wrong("If-Match", "must be `*`, or the `ETag` of an answer with its quotes");
            Condition::None
        }
    }
}
