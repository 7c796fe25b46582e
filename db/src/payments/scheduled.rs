use std::time::Duration;

use domain::OrderId;

use crate::{Db, Error};

/// The copy of a payment request that waits in a retry queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledCopy {
    /// Order to charge.
    pub order_id: OrderId,
    /// Number of attempts that the copy carries.
    pub number: i32,
    /// Time until it is delivered.
    pub due_in: Duration,
}

const NOTE_SCHEDULED: &str = "
    update payments.payments p
       set scheduled_number = s.number,
           scheduled_due = now() + s.due_ms * interval '1 millisecond'
      from unnest($1::uuid[], $2::integer[], $3::float8[]) as s (order_id, number, due_ms)
     where p.order_id = s.order_id and p.status = 'started'";

/// Notes copies that the broker has confirmed, all in one commit. Call this before the message that a
/// copy replaces is acked. A payment with a verdict needs no note.
pub async fn note_scheduled(db: &Db, copies: &[ScheduledCopy]) -> Result<(), Error> {
    // Sorted, so that two workers cannot wait for each other.
    let mut sorted: Vec<&ScheduledCopy> = copies.iter().collect();
    sorted.sort_by_key(|copy| copy.order_id);
    let orders: Vec<_> = sorted.iter().map(|copy| copy.order_id.0).collect();
    let numbers: Vec<_> = sorted.iter().map(|copy| copy.number).collect();
    let due: Vec<_> = sorted.iter().map(|copy| copy.due_in.as_secs_f64() * 1000.0).collect();
    db.query(NOTE_SCHEDULED, &[&orders, &numbers, &due]).await.map(drop)
}
