//! Reads the records of the same orders in the shop, with the workers and in the gateway's ledger,
//! which may be in three databases. An observation is not a snapshot: an order may move on between
//! two reads.

use db::audit::{self, CaptureRow, KeyRange, OrderRow, PaymentRow, Range};
use db::{Db, Error};
use domain::OrderId;
use tokio::runtime::Handle;

use crate::config::{Config, Ledger};
use crate::records::{Observation, OrderRecords};

/// Largest number of rows that one statement reads from a table.
pub(crate) const STEP_MAX: u32 = 2000;

/// The databases, read only.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    pub(crate) shop: Db,
    pub(crate) payments: Db,
    pub(crate) ledger: Ledger,
}

/// The records of a range of order ids.
#[derive(Debug)]
pub(crate) struct IdRange {
    pub(crate) observation: Observation,
    /// Last id of the range that was read completely.
    pub(crate) reached: OrderId,
}

impl Sources {
    /// Opens the pools, on connections that cannot write.
    ///
    /// # Errors
    /// If a pool cannot be built.
    pub(crate) fn open(config: &Config, runtime: &Handle) -> Result<Sources, Error> {
        Ok(Sources {
            shop: Db::read_only(&config.shop, runtime.clone())?,
            payments: Db::read_only(&config.payments, runtime.clone())?,
            ledger: config.audit.ledger,
        })
    }

    /// Reads the records of the orders above `after` up to `up_to`, or of the first `limit` or so.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn range(
        &self,
        after: OrderId,
        up_to: OrderId,
        limit: u32,
    ) -> Result<IdRange, Error> {
        let range = Range { after, up_to, limit: i64::from(limit) };
        let (mut orders, mut payments) = tokio::try_join!(
            audit::orders_between(&self.shop, &range),
            audit::payments_between(&self.payments, &range),
        )?;
        let full = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX) >= limit;
        let last_order = orders.last().map(|o| o.id).filter(|_| full(orders.len()));
        let last_payment = payments.last().map(|p| p.order_id).filter(|_| full(payments.len()));
        let reached = [last_order, last_payment].into_iter().flatten().fold(up_to, OrderId::min);
        orders.retain(|order| order.id <= reached);
        payments.retain(|payment| payment.order_id <= reached);
        let mut observation = Observation::new();
        add_rows(&mut observation, orders, payments);
        let ids: Vec<OrderId> = observation.keys().copied().collect();
        self.add_captures(&mut observation, &ids, &[]).await?;
        Ok(IdRange { observation, reached })
    }

    /// Reads the records of the given orders, and their captures under `keys`. The result has every
    /// one of `ids`, also an id without any record.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn read(
        &self,
        ids: &[OrderId],
        keys: &[String],
    ) -> Result<Observation, Error> {
        let (orders, payments) = tokio::try_join!(
            audit::orders_of(&self.shop, ids),
            audit::payments_of(&self.payments, ids),
        )?;
        let mut observation: Observation =
            ids.iter().map(|id| (*id, OrderRecords::default())).collect();
        add_rows(&mut observation, orders, payments);
        self.add_captures(&mut observation, ids, keys).await?;
        Ok(observation)
    }

    /// Reads the records of the orders with captures under the next `limit` keys after `after`.
    /// Returns them with the last of these keys, or `None` at the end of the ledger.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn captured_after(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Option<(Observation, String)>, Error> {
        if self.ledger == Ledger::Unreadable {
            return Ok(None);
        }
        let captures = audit::captures_after(&self.payments, after, i64::from(limit)).await?;
        let Some(last) = captures.last().map(|capture| capture.key.clone()) else {
            return Ok(None);
        };
        Ok(Some((self.read_captured(&captures).await?, last)))
    }

    /// Reads the orphans of a range: captures under keys of the range, after the key `after`, that
    /// are not in its observation. Returns the records of their orders with the last key that was
    /// read, or `None` at the end of the range.
    ///
    /// # Errors
    /// If a database does not answer.
    pub(crate) async fn orphans(
        &self,
        after: &str,
        range: &IdRange,
    ) -> Result<Option<(Observation, String)>, Error> {
        if self.ledger == Ledger::Unreadable {
            return Ok(None);
        }
        let up_to = range.reached.to_string();
        let keys = KeyRange { after, up_to: &up_to, limit: i64::from(STEP_MAX) };
        let mut captures = audit::captures_between(&self.payments, &keys).await?;
        let Some(last) = captures.last().map(|capture| capture.key.clone()) else {
            return Ok(None);
        };
        captures.retain(|capture| {
            let records = range.observation.get(&capture.order_id);
            records.is_none_or(|records| !records.captures.contains(capture))
        });
        Ok(Some((self.read_captured(&captures).await?, last)))
    }

    /// Adds the captures under the ids of the given orders, and under `keys`.
    async fn add_captures(
        &self,
        observation: &mut Observation,
        ids: &[OrderId],
        keys: &[String],
    ) -> Result<(), Error> {
        if self.ledger == Ledger::Unreadable || ids.is_empty() {
            return Ok(());
        }
        let own = ids.iter().map(OrderId::to_string);
        let mut wanted: Vec<String> = own.chain(keys.iter().cloned()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for capture in audit::captures_of(&self.payments, &wanted).await? {
            if let Some(records) = observation.get_mut(&capture.order_id) {
                records.captures.push(capture);
            }
        }
        Ok(())
    }

    /// Reads the records of the orders that captures name.
    async fn read_captured(&self, captures: &[CaptureRow]) -> Result<Observation, Error> {
        if captures.is_empty() {
            return Ok(Observation::new());
        }
        let mut ids: Vec<OrderId> = captures.iter().map(|capture| capture.order_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let keys: Vec<String> = captures.iter().map(|capture| capture.key.clone()).collect();
        self.read(&ids, &keys).await
    }
}

fn add_rows(observation: &mut Observation, orders: Vec<OrderRow>, payments: Vec<PaymentRow>) {
    for order in orders {
        let records = observation.entry(order.id).or_default();
        records.order = Some(order);
    }
    for payment in payments {
        let records = observation.entry(payment.order_id).or_default();
        records.payment = Some(payment);
    }
}
