//! Answers of requests with an idempotency key. An answer is stored in the commit of its request's effect,
//! by the statement that has the effect. Orders keep their keys themselves.

use std::future::Future;

use domain::IdempotencyKey;
use tokio_postgres::Row;

use crate::row::column;
use crate::{Db, Error};

/// Kind of a request. The same key may be used once for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Storing a new product.
    CreateProduct,
    /// Restoring an archived product.
    RestoreProduct,
    /// Storing a new customer.
    CreateCustomer,
    /// Restoring an archived customer.
    RestoreCustomer,
    /// Replaying or discarding one dead letter.
    ActOnDeadLetter,
    /// Replaying many dead letters.
    ReplayDeadLetters,
}

impl RequestKind {
    /// The spelling in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RequestKind::CreateProduct => "create product",
            RequestKind::RestoreProduct => "restore product",
            RequestKind::CreateCustomer => "create customer",
            RequestKind::RestoreCustomer => "restore customer",
            RequestKind::ActOnDeadLetter => "act on dead letter",
            RequestKind::ReplayDeadLetters => "replay dead letters",
        }
    }
}

/// A request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Kind of the request.
    pub kind: RequestKind,
    /// The client's key.
    pub key: IdempotencyKey,
    /// The request's content, the same text for the same request.
    pub content: String,
}

/// The result of a request that may have a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyed<T> {
    /// The request had its effect now.
    Done(T),
    /// The key belongs to an earlier request with the same content: that request's answer.
    Repeated(T),
    /// The key belongs to an earlier request with other content; nothing was done.
    Reused,
}

/// The parameters of a statement that stores an answer: kind, key and content, all null without a key.
pub(crate) struct KeyParams<'a> {
    pub(crate) kind: Option<&'static str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) content: Option<&'a str>,
}

impl<'a> KeyParams<'a> {
    pub(crate) fn new(request: Option<&'a KeyedRequest>) -> KeyParams<'a> {
        KeyParams {
            kind: request.map(|request| request.kind.as_str()),
            key: request.map(|request| request.key.as_str()),
            content: request.map(|request| &*request.content),
        }
    }
}

/// The result of a statement that has an effect and stores its answer, unless the key was used before:
/// then it returns no row, or is refused if the other request was committed meanwhile.
pub(crate) async fn resolve<T>(
    done: Result<Vec<Row>, Error>,
    read: impl Fn(&Row) -> Result<T, Error>,
    stored: impl Future<Output = Result<Option<Keyed<T>>, Error>>,
) -> Result<Option<Keyed<T>>, Error> {
    let refused = match done {
        Ok(rows) => match rows.first() {
            Some(row) => return Ok(Some(Keyed::Done(read(row)?))),
            None => None,
        },
        Err(Error::Refused(why)) => Some(why),
        Err(unavailable @ Error::Unavailable(_)) => return Err(unavailable),
    };
    match (stored.await?, refused) {
        (None, Some(why)) => Err(Error::Refused(why)),
        (stored, _) => Ok(stored),
    }
}

/// Compares a request with the stored one of a row, and reads the stored answer.
pub(crate) fn stored_answer<T>(
    row: &Row,
    request: &KeyedRequest,
    read: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Keyed<T>, Error> {
    let content: &str = column(row, "request")?;
    if content == request.content { read(row).map(Keyed::Repeated) } else { Ok(Keyed::Reused) }
}

const FIND: &str = "
    select request, answer::text as answer from idempotency_keys where kind = $1 and key = $2";

/// Returns the stored answer of a request, as JSON; `None` if the key is new.
pub async fn find(db: &Db, request: &KeyedRequest) -> Result<Option<Keyed<String>>, Error> {
    let rows = db.query(FIND, &[&request.kind.as_str(), &request.key.as_str()]).await?;
    let read = |row: &Row| column(row, "answer");
    rows.first().map(|row| stored_answer(row, request, read)).transpose()
}

const STORE: &str = "
    insert into idempotency_keys (kind, key, request, answer) values ($1, $2, $3, $4::text::jsonb)
    on conflict do nothing";

/// Stores the answer of a request, as JSON, where the effect is not in the database. A key that has an
/// answer keeps it.
pub async fn store(db: &Db, request: &KeyedRequest, answer: &str) -> Result<(), Error> {
    let KeyParams { kind, key, content } = KeyParams::new(Some(request));
    db.query(STORE, &[&kind, &key, &content, &answer]).await.map(drop)
}
