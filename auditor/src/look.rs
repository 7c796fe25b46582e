//! Looking: the same orders in the shop, with the workers and in the gateway's books, which may be
//! three databases. Nothing here is a snapshot: between two reads an order may move on.

use std::collections::BTreeMap;

use db::audit::{self, CaptureRow, Range};
use db::{Db, Error};
use domain::OrderId;
use tokio::runtime::Handle;

use crate::config::{Config, Ledger};
use crate::judge::Seen;

/// How many rows of a table one statement reads at most.
pub(crate) const STEP_MAX: u32 = 2000;

/// What was seen, order by order.
pub(crate) type Observation = BTreeMap<OrderId, Seen>;

/// The two stores, read only.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) shop: Db,
    pub(crate) payments: Db,
    pub(crate) books: Ledger,
}

/// A range of orders.
#[derive(Debug)]
pub(crate) struct IdRange {
    pub(crate) observation: Observation,
    /// Everything up to this one has been seen.
    pub(crate) reached: OrderId,
}

impl Sources {
    /// On connections that cannot write.
    ///
    /// # Errors
    /// If a pool cannot be built at all.
    pub(crate) fn open(config: &Config, runtime: &Handle) -> Result<Sources, Error> {
        Ok(Sources {
            shop: Db::read_only(&config.shop, runtime.clone())?,
            payments: Db::read_only(&config.payments, runtime.clone())?,
            books: config.audit.books,
        })
    }

    /// What there is above `after` up to `up_to`, or up to about `limit` orders.
    pub(crate) async fn range(
        &self,
        (after, up_to): (OrderId, OrderId),
        limit: u32,
    ) -> Result<IdRange, Error> {
        let range = Range { after, up_to, limit: i64::from(limit) };
        let (orders, payments) = tokio::try_join!(
            audit::orders_between(&self.shop, &range),
            audit::payments_between(&self.payments, &range),
        )?;
        let full = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX) >= limit;
        let last_order = orders.last().map(|o| o.id).filter(|_| full(orders.len()));
        let last_payment = payments.last().map(|p| p.order_id).filter(|_| full(payments.len()));
        let reached = [last_order, last_payment].into_iter().flatten().fold(up_to, OrderId::min);
        let mut observation = Observation::new();
        for order in orders.into_iter().filter(|order| order.id <= reached) {
            let seen = observation.entry(order.id).or_default();
            seen.order = Some(order);
        }
        for payment in payments.into_iter().filter(|payment| payment.order_id <= reached) {
            let seen = observation.entry(payment.order_id).or_default();
            seen.payment = Some(payment);
        }
        let ids: Vec<OrderId> = observation.keys().copied().collect();
        self.read_books(&mut observation, &ids, &[]).await?;
        Ok(IdRange { observation, reached })
    }

    /// These orders, and whatever else was taken for them under `keys`. Every one of `ids` is in the
    /// answer, also if there is nothing to be seen of it.
    pub(crate) async fn of(&self, ids: &[OrderId], keys: &[String]) -> Result<Observation, Error> {
        let (orders, payments) = tokio::try_join!(
            audit::orders_of(&self.shop, ids),
            audit::payments_of(&self.payments, ids),
        )?;
        let mut observation: Observation = ids.iter().map(|id| (*id, Seen::default())).collect();
        for order in orders {
            let seen = observation.entry(order.id).or_default();
            seen.order = Some(order);
        }
        for payment in payments {
            let seen = observation.entry(payment.order_id).or_default();
            seen.payment = Some(payment);
        }
        self.read_books(&mut observation, ids, keys).await?;
        Ok(observation)
    }

    /// The orders of which something was taken under the next `limit` keys after `after`, and the
    /// last of these keys; `None` after the last of all.
    pub(crate) async fn of_books(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Option<(Observation, String)>, Error> {
        if self.books == Ledger::Closed {
            return Ok(None);
        }
        let captures = audit::captures_after(&self.payments, after, i64::from(limit)).await?;
        let Some(last) = captures.last().map(|capture| capture.key.clone()) else {
            return Ok(None);
        };
        Ok(Some((self.of_captures(&captures).await?, last)))
    }

    /// The same for the keys of a range, but only what was not seen in it.
    pub(crate) async fn orphans(
        &self,
        (after, range): (&str, &IdRange),
    ) -> Result<Option<(Observation, String)>, Error> {
        if self.books == Ledger::Closed {
            return Ok(None);
        }
        let keys = (after, &*range.reached.to_string());
        let mut captures =
            audit::captures_between(&self.payments, keys, i64::from(STEP_MAX)).await?;
        let Some(last) = captures.last().map(|capture| capture.key.clone()) else {
            return Ok(None);
        };
        captures.retain(|capture| {
            let seen = range.observation.get(&capture.order_id);
            seen.is_none_or(|seen| !seen.captures.contains(capture))
        });
        Ok(Some((self.of_captures(&captures).await?, last)))
    }

    /// What was taken under the ids of these orders, and under `keys`.
    async fn read_books(
        &self,
        observation: &mut Observation,
        ids: &[OrderId],
        keys: &[String],
    ) -> Result<(), Error> {
        if self.books == Ledger::Closed || ids.is_empty() {
            return Ok(());
        }
        let own = ids.iter().map(OrderId::to_string);
        let mut wanted: Vec<String> = own.chain(keys.iter().cloned()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for capture in audit::captures_of(&self.payments, &wanted).await? {
            if let Some(seen) = observation.get_mut(&capture.order_id) {
                seen.captures.push(capture);
            }
        }
        Ok(())
    }

    async fn of_captures(&self, captures: &[CaptureRow]) -> Result<Observation, Error> {
        if captures.is_empty() {
            return Ok(Observation::new());
        }
        let mut ids: Vec<OrderId> = captures.iter().map(|capture| capture.order_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let keys: Vec<String> = captures.iter().map(|capture| capture.key.clone()).collect();
        self.of(&ids, &keys).await
    }
}
