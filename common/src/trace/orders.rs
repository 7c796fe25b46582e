use std::collections::HashMap;

use super::{Span, Told, child, is_on, root};
use crate::domain::{About, OrderId, TraceParent};

/// The spans of what goes through a station together: one for each order whose trace is recorded, and
/// one for all of them, in a trace of its own that links to each. Empty where nothing is recorded.
#[derive(Debug)]
pub struct OrderSpans {
    each: HashMap<OrderId, Span>,
    links: Vec<TraceParent>,
    together: Option<Span>,
}

impl OrderSpans {
    /// Begins them.
    pub fn begin<'a>(orders: impl IntoIterator<Item = About<'a>>) -> OrderSpans {
        let mut each = HashMap::new();
        if is_on() {
            for about in orders {
                each.extend(child(about.traceparent).map(|span| (about.order_id, span)));
            }
        }
        let together = (!each.is_empty()).then(root);
        let links = each.values().map(Span::context).collect();
        OrderSpans { each, links, together }
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
    pub fn end(&mut self, order_id: OrderId, told: impl FnOnce() -> Told) {
        if let Some(span) = self.each.remove(&order_id) {
            span.end(told());
        }
    }

    /// Ends the span of all of them. What orders have no end yet are not told of.
    pub fn end_together(self, told: impl FnOnce() -> Told) {
        if let Some(together) = self.together {
            together.end_with(told(), self.links);
        }
    }
}
