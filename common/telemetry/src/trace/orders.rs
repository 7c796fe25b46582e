use std::collections::HashMap;

use super::{ERROR_TYPE, ORDER_ID, Span, SpanRecord, child, is_on, root};
use domain::{About, OrderId, TraceParent};

/// What is wrong with a span that was given up before its end.
const UNFINISHED: &str = "unfinished";

/// The spans of what goes through a station together: one for each order whose trace is recorded, and
/// one for all of them, in a trace of its own that links to each. Empty where nothing is recorded.
///
/// What has not ended when this is dropped ends as an error: the work was given up, and what it had
/// caused by then names these spans as its parents.
#[derive(Debug)]
pub struct OrderSpans {
    each: HashMap<OrderId, Span>,
    links: Vec<TraceParent>,
    together: Option<Span>,
    given_up: Option<SpanRecord>,
}

impl OrderSpans {
    /// Begins them. What does not get to its end is record of as `given_up`.
    pub fn begin<'a>(
        orders: impl IntoIterator<Item = About<'a>>,
        given_up: impl FnOnce() -> SpanRecord,
    ) -> OrderSpans {
        let mut each = HashMap::new();
        if is_on() {
            for about in orders {
                each.extend(child(about.traceparent).map(|span| (about.order_id, span)));
            }
        }
        let together = (!each.is_empty()).then(root);
        let links = each.values().map(Span::context).collect();
        let given_up =
            (!each.is_empty()).then(|| given_up().with(ERROR_TYPE, UNFINISHED).failed(UNFINISHED));
        OrderSpans { each, links, together, given_up }
    }

    /// The context of whatever is caused by an order here: that of its span, or its own.
    pub fn context(&self, order: &About<'_>) -> Option<TraceParent> {
        self.each.get(&order.order_id).map(Span::context).or(order.traceparent)
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.together.is_none()
    }

    /// Ends the span of one order, if it has one.
    pub fn end(&mut self, order_id: OrderId, record: impl FnOnce() -> SpanRecord) {
        if let Some(span) = self.each.remove(&order_id) {
            span.end(record());
        }
    }

    /// Ends the span of all of them.
    pub fn end_together(mut self, record: impl FnOnce() -> SpanRecord) {
        if let Some(together) = self.together.take() {
            together.end_with(record(), std::mem::take(&mut self.links));
        }
    }
}

impl Drop for OrderSpans {
    fn drop(&mut self) {
        let Some(given_up) = self.given_up.take() else { return };
        for (order_id, span) in self.each.drain() {
            span.end(given_up.clone().with(ORDER_ID, order_id));
        }
        if let Some(together) = self.together.take() {
            together.end_with(given_up, std::mem::take(&mut self.links));
        }
    }
}
