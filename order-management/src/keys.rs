//! Idempotency keys of the requests that this process is answering.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys in use. A second request with a key in use is refused at once; across processes the database
/// decides, and the second request waits for the first commit.
#[derive(Clone, Debug)]
pub(crate) struct KeysInUse<K: Eq + Hash>(Arc<Mutex<HashSet<K>>>);

/// The answer of a request that may have a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    /// `true` if the answer was given before.
    pub(crate) replayed: bool,
}

/// A request with the same key has no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request with the same key has no answer yet")]
pub(crate) struct KeyInUse;

impl<K: Eq + Hash> Default for KeysInUse<K> {
    fn default() -> KeysInUse<K> {
        KeysInUse(Arc::default())
    }
}

impl<K: Clone + Eq + Hash> KeysInUse<K> {
    /// Marks a key as in use until the guard is dropped.
    pub(crate) fn enter(&self, key: K) -> Result<KeyGuard<K>, KeyInUse> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.insert(key.clone()) {
            return Err(KeyInUse);
        }
        Ok(KeyGuard { key, keys: self.clone() })
    }
}

/// The use of a key.
#[derive(Debug)]
pub(crate) struct KeyGuard<K: Eq + Hash> {
    key: K,
    keys: KeysInUse<K>,
}

impl<K: Eq + Hash> Drop for KeyGuard<K> {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
