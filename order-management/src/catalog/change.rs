//! Changes under a condition. The state that the condition admits is the state that the statement changes:
//! between the two another request may have changed the object, and then the condition is asked again.

use super::{Catalog, CatalogError, Record, Result};

/// Largest number of states that a condition is asked about. A condition that names a state admits no other
/// one, so a second state ends the request.
const STATES_MAX: usize = 8;

/// The state of an object that a request is made for.
pub(crate) enum Condition<F> {
    /// The request names none.
    None,
    /// Any state.
    Any,
    /// The states that the function admits.
    Only(F),
}

impl<F> Condition<F> {
    /// Returns the state that a statement must find: `seen` if the condition names states, else any.
    fn admit<'a, R>(&self, seen: &'a R) -> Result<Option<&'a R>>
    where
        F: Fn(&R) -> bool,
    {
        match self {
            Condition::None | Condition::Any => Ok(None),
            Condition::Only(admits) if admits(seen) => Ok(Some(seen)),
            Condition::Only(_) => Err(CatalogError::ConditionFailed),
        }
    }
}

impl Catalog {
    /// Changes a product or customer, which requires a condition. An object that has the new values already
    /// stays as it is.
    pub(crate) async fn change<R: Record>(
        &self,
        id: R::Id,
        change: &R::Change,
        condition: Condition<impl Fn(&R) -> bool>,
    ) -> Result<R> {
        for _ in 0..STATES_MAX {
            let seen = R::get(&self.db, id).await?.ok_or(CatalogError::Unknown)?;
            if seen.is_archived() {
                return Err(CatalogError::Archived);
            }
            if matches!(condition, Condition::None) {
                return Err(CatalogError::ConditionMissing);
            }
            let expected = condition.admit(&seen)?;
            if seen.has(change) {
                return Ok(seen);
            }
            if let Some(changed) = R::update(&self.db, id, change, expected).await? {
                return Ok(changed);
            }
        }
        Err(CatalogError::ConditionFailed)
    }

    /// Archives a product or customer; one that is archived stays as it is.
    pub(crate) async fn archive<R: Record>(
        &self,
        id: R::Id,
        condition: Condition<impl Fn(&R) -> bool>,
    ) -> Result<()> {
        for _ in 0..STATES_MAX {
            let seen = R::get(&self.db, id).await?.ok_or(CatalogError::Unknown)?;
            let expected = condition.admit(&seen)?;
            if R::archive(&self.db, id, expected).await? {
                return Ok(());
            }
        }
        Err(CatalogError::ConditionFailed)
    }
}
