//! Answers that show an object.

use actix_web::http::header::{self, ContentType, ETag, EntityTag, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::conditions::{is_known, tag_of};
use super::links;
use crate::keys::Answered;

/// Header of an answer that repeats the first answer of its key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An object as a body, with the tag of its state.
pub(super) struct ObjectAnswer {
    body: Vec<u8>,
    tag: EntityTag,
}

impl ObjectAnswer {
    pub(super) fn new(view: &impl Serialize) -> ObjectAnswer {
        let body = serde_json::to_vec(view).unwrap_or_default();
        ObjectAnswer { tag: tag_of(&body), body }
    }

    /// `200`, or `304` if the client has this state already.
    pub(super) fn read(self, request: &HttpRequest) -> HttpResponse {
        match is_known(request, &self.tag) {
            true => HttpResponse::NotModified().insert_header(ETag(self.tag)).finish(),
            false => self.ok(),
        }
    }

    /// `200`.
    pub(super) fn ok(self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header(ETag(self.tag))
            .content_type(ContentType::json())
            .body(self.body)
    }

    /// `201` with the object's path, relative to the root of the API.
    pub(super) fn created(self, request: &HttpRequest, path: &str) -> HttpResponse {
        HttpResponse::Created()
            .insert_header((header::LOCATION, links::location(request, path)))
            .insert_header(ETag(self.tag))
            .content_type(ContentType::json())
            .body(self.body)
    }
}

/// Marks an answer that was given before.
pub(super) fn mark_replayed(answer: &mut HttpResponse, replayed: bool) {
    if replayed {
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
}

/// `200` with the answer of a request that may have a key.
pub(super) fn replayable(answered: &Answered<impl Serialize>) -> HttpResponse {
    let mut answer = HttpResponse::Ok().json(&answered.answer);
    mark_replayed(&mut answer, answered.replayed);
    answer
}
