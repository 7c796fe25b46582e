use std::collections::HashMap;

use domain::{About, OrderId, TraceParent};

use super::active_span::{Span, child, is_on};
use super::names::{ERROR_TYPE, ORDER_ID};
use super::span::SpanRecord;

/// The error of a span whose work was abandoned.
const UNFINISHED: &str = "unfinished";

/// The spans of a batch: one for each order whose trace is recorded, and one for the batch, in a
/// trace of its own with links to the others. Empty if no order is recorded.
///
/// Spans that have not ended when this is dropped end as errors: the work was abandoned, and what
/// it caused by then names these spans as parents.
#[derive(Debug)]
pub struct OrderSpans {
    each: HashMap<OrderId, Span>,
    links: Vec<TraceParent>,
    batch: Option<Span>,
    unfinished: Option<SpanRecord>,
}

impl OrderSpans {
    /// Begins the spans of `orders`. `unfinished` is the record of spans that are dropped before
    /// their end.
    pub fn begin<'a>(
        orders: impl IntoIterator<Item = About<'a>>,
        unfinished: impl FnOnce() -> SpanRecord,
    ) -> OrderSpans {
        let mut each = HashMap::new();
        if is_on() {
            for about in orders {
                each.extend(child(about.traceparent).map(|span| (about.order_id, span)));
            }
        }
        let is_recorded = !each.is_empty();
        let failed = || unfinished().with(ERROR_TYPE, UNFINISHED).failed(UNFINISHED);
        OrderSpans {
            links: each.values().map(Span::context).collect(),
            batch: is_recorded.then(Span::root),
            unfinished: is_recorded.then(failed),
            each,
        }
    }

    /// The trace context for work that this stage causes for `order`: that of its span, or its own.
    pub fn context(&self, order: &About<'_>) -> Option<TraceParent> {
        self.each.get(&order.order_id).map(Span::context).or(order.traceparent)
    }

    /// Returns true if no order of the batch is recorded.
    pub fn is_empty(&self) -> bool {
        self.batch.is_none()
    }

    /// Ends the span of one order, if the order is recorded.
    pub fn end(&mut self, order_id: OrderId, record: impl FnOnce() -> SpanRecord) {
        if let Some(span) = self.each.remove(&order_id) {
            span.end(record());
        }
    }

    /// Ends the span of the batch, if there is one.
    pub fn end_together(mut self, record: impl FnOnce() -> SpanRecord) {
        if let Some(batch) = self.batch.take() {
            batch.end_with_links(record(), std::mem::take(&mut self.links));
        }
    }
}

impl Drop for OrderSpans {
    fn drop(&mut self) {
        let Some(unfinished) = self.unfinished.take() else { return };
        for (order_id, span) in self.each.drain() {
            span.end(unfinished.clone().with(ORDER_ID, order_id));
        }
        if let Some(batch) = self.batch.take() {
            batch.end_with_links(unfinished, std::mem::take(&mut self.links));
        }
    }
}
