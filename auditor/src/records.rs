use std::collections::BTreeMap;

use db::audit::{CaptureRow, OrderRow, PaymentRow};
use domain::OrderId;

/// The records of one order on all three sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderRecords {
    /// The shop's record.
    pub(crate) order: Option<OrderRow>,
    /// The workers' record.
    pub(crate) payment: Option<PaymentRow>,
    /// The captures in the gateway's ledger, under the order's own key or another one.
    pub(crate) captures: Vec<CaptureRow>,
}

/// The records that one look found, by order.
pub(crate) type Observation = BTreeMap<OrderId, OrderRecords>;
