//! Files that are the same for every client: compressed once, sent in pieces, and not sent again to
//! a client that has them.

use std::io::{Cursor, Read as _, Write as _};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header as _};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// Bytes that are decompressed at a time for a client that does not accept gzip.
const PIECE: usize = 4 * 1024;
/// Length of the checksum in an `ETag`, in bytes.
const TAG_LEN: usize = 8;

/// A file with its tag. The other of its two forms is made when a client first asks for it, or, for
/// a file that is stored compressed, while it is sent.
#[derive(Debug)]
pub(super) struct StaticFile {
    content_type: String,
    tag: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Stored compressed.
    Gzip(Bytes),
    /// Stored plain, and compressed at most once.
    Plain { bytes: Bytes, gzip: OnceLock<Bytes> },
}

impl StaticFile {
    /// A file that is stored compressed.
    pub(super) fn compressed(content_type: String, bytes: Bytes) -> StaticFile {
        StaticFile { content_type, tag: tag_of(&bytes), content: Content::Gzip(bytes) }
    }

    /// A file that is stored plain.
    pub(super) fn plain(content_type: String, bytes: Bytes) -> StaticFile {
        let tag = tag_of(&bytes);
        StaticFile { content_type, tag, content: Content::Plain { bytes, gzip: OnceLock::new() } }
    }

    /// The file in a form that the client accepts, or `304` if the client has it.
    pub(super) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let gzip = accepts_gzip(request);
        let tag = format!("\"{}{}\"", self.tag, if gzip { "-gzip" } else { "" });
        let has = has(request, &tag);
        let mut answer = if has { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer
            .insert_header((header::ETAG, tag))
            .insert_header((header::VARY, "Accept-Encoding"))
            .insert_header((header::CACHE_CONTROL, "no-cache"));
        if has {
            return answer.finish();
        }
        answer.content_type(self.content_type.as_str());
        if gzip {
            answer.insert_header(ContentEncoding::Gzip);
        }
        match (&self.content, gzip) {
            (Content::Gzip(bytes), true) => answer.body(bytes.clone()),
            (Content::Gzip(bytes), false) => answer.body(Inflated::new(bytes.clone())),
            (Content::Plain { bytes, .. }, false) => answer.body(bytes.clone()),
            (Content::Plain { bytes, gzip }, true) => {
                answer.body(gzip.get_or_init(|| compress(bytes)).clone())
            }
        }
    }
}

fn tag_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(TAG_LEN).map(|byte| format!("{byte:02x}")).collect()
}

/// Compresses into memory, which cannot fail.
fn compress(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default().into()
}

/// Returns true if the client lists gzip in `Accept-Encoding`.
fn accepts_gzip(request: &HttpRequest) -> bool {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return false;
    }
    let supported = [Encoding::gzip(), Encoding::identity()];
    AcceptEncoding::parse(request)
        .is_ok_and(|accepted| accepted.negotiate(supported.iter()) == Some(Encoding::gzip()))
}

/// Returns true if `If-None-Match` lists `tag` (RFC 9110 §13.1.2, by weak comparison).
fn has(request: &HttpRequest, tag: &str) -> bool {
    let sent = request.headers().get_all(header::IF_NONE_MATCH);
    sent.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

/// A compressed file that is decompressed while it is sent.
struct Inflated {
    decoder: GzDecoder<Cursor<Bytes>>,
    size: u64,
}

impl Inflated {
    /// A gzip file ends with the size of its content (RFC 1952 §2.3.1).
    fn new(bytes: Bytes) -> Inflated {
        let size = bytes.last_chunk().map_or(0, |size: &[u8; 4]| u32::from_le_bytes(*size));
        Inflated { decoder: GzDecoder::new(Cursor::new(bytes)), size: size.into() }
    }
}

impl MessageBody for Inflated {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut piece = vec![0; PIECE];
        let read = self.get_mut().decoder.read(&mut piece);
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(piece.into()))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;

    use super::*;

    fn files() -> (Bytes, [StaticFile; 2]) {
        let text = Bytes::from("text of a file, ".repeat(10_000));
        let kind = || "text/plain".to_owned();
        let files = [
            StaticFile::compressed(kind(), compress(&text)),
            StaticFile::plain(kind(), text.clone()),
        ];
        (text, files)
    }

    fn ask(file: &StaticFile, headers: &[(&str, &str)]) -> HttpResponse {
        let request = TestRequest::default();
        let request = headers.iter().fold(request, |r, header| r.append_header(*header));
        file.answer(&request.to_http_request())
    }

    #[tokio::test]
    async fn each_client_gets_the_file_in_a_form_that_it_accepts() {
        let (text, files) = files();
        for file in &files {
            let plain = to_bytes(ask(file, &[]).into_body()).await.unwrap();
            assert_eq!(plain, text);
            let refuses = ask(file, &[("accept-encoding", "gzip;q=0, identity")]);
            assert!(!refuses.headers().contains_key(header::CONTENT_ENCODING));
            let answer = ask(file, &[("accept-encoding", "gzip, deflate, br")]);
            assert_eq!(answer.headers().get(header::CONTENT_ENCODING).unwrap(), "gzip");
            let small = to_bytes(answer.into_body()).await.unwrap();
            assert!(small.len() < text.len() / 10);
            let mut whole = Vec::new();
            GzDecoder::new(&small[..]).read_to_end(&mut whole).unwrap();
            assert_eq!(whole, text);
        }
    }

    #[test]
    fn a_client_that_has_the_file_is_told_so() {
        let (_, files) = files();
        for (file, accepted) in files.iter().zip(["gzip", "identity"]) {
            let accept = ("accept-encoding", accepted);
            let first = ask(file, &[accept]);
            let tag = first.headers().get(header::ETAG).unwrap().to_str().unwrap().to_owned();
            for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
                let again = ask(file, &[accept, ("if-none-match", &known)]);
                assert_eq!(again.status(), 304);
                assert_eq!(again.headers().get(header::ETAG).unwrap().to_str().unwrap(), tag);
            }
            assert_eq!(ask(file, &[accept, ("if-none-match", "\"other\"")]).status(), 200);
        }
    }
}
