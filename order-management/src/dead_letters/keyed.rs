//! Actions under an idempotency key. The broker and the database have no commit in common, so an answer is
//! stored after the action. If the process dies in between, a repetition acts again: on one dead letter it
//! finds none any more, and the record of actions shows the first action; on many it continues.

use db::idempotency::{self, Keyed, KeyedRequest, RequestKind};
use domain::IdempotencyKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Action, DeadLetterError, DeadLetterId, DeadLetters, Filter, Replayed, WholeAction};
use crate::keys::Answered;

/// A replay of many dead letters.
pub(crate) struct ReplayAll {
    pub(crate) filter: Filter,
    /// Largest number of replays.
    pub(crate) limit: usize,
    pub(crate) action: Action,
}

type Result<T> = std::result::Result<T, DeadLetterError>;

impl DeadLetters {
    /// Carries out an action on one dead letter, once for each key.
    pub(crate) async fn act_once(
        &self,
        id: &DeadLetterId,
        action: &Action,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<WholeAction>> {
        let content = json!([id.as_str(), action.content()]);
        let kind = RequestKind::ActOnDeadLetter;
        let request = key.map(|key| KeyedRequest { kind, key, content: content.to_string() });
        let acting = async { Ok(self.act(id, action).await?.action.id) };
        let done = Box::pin(self.once(request, acting)).await?;
        let action = done.answer.parse().ok().map(|id| self.action(id));
        let action = match action {
            Some(action) => action.await?,
            None => None,
        };
        let answer = action.ok_or_else(|| DeadLetterError::NotFound(id.clone()))?;
        Ok(Answered { answer, replayed: done.replayed })
    }

    /// Replays many dead letters, once for each key.
    pub(crate) async fn replay_all_once(
        &self,
        replay: &ReplayAll,
        key: Option<IdempotencyKey>,
    ) -> Result<Answered<Replayed>> {
        let ReplayAll { filter, limit, action } = replay;
        let queue = filter.queue.as_ref().map(|queue| &*queue.name);
        let content = json!([queue, filter.reason, limit, action.content()]);
        let kind = RequestKind::ReplayDeadLetters;
        let request = key.map(|key| KeyedRequest { kind, key, content: content.to_string() });
        Box::pin(self.once(request, self.replay_all(filter, *limit, action))).await
    }

    async fn once<T: Serialize + DeserializeOwned>(
        &self,
        request: Option<KeyedRequest>,
        acting: impl Future<Output = Result<T>>,
    ) -> Result<Answered<T>> {
        let Some(request) = request else {
            return Ok(Answered { answer: acting.await?, replayed: false });
        };
        let _guard = self.keys.enter((request.kind, request.key.clone()))?;
        match idempotency::find(&self.db, &request).await? {
            Some(Keyed::Done(stored) | Keyed::Repeated(stored)) => {
                let answer = serde_json::from_str(&stored).map_err(|error| {
                    db::Error::Refused(format!("a stored answer is unreadable: {error}"))
                })?;
                Ok(Answered { answer, replayed: true })
            }
            Some(Keyed::Reused) => Err(DeadLetterError::KeyReused),
            None => {
                let answer = acting.await?;
                let stored = json!(answer).to_string();
                idempotency::store(&self.db, &request, &stored).await?;
                Ok(Answered { answer, replayed: false })
            }
        }
    }
}
