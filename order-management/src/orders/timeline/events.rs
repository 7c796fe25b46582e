//! From rows to events. Nothing here reads or waits.

use std::collections::HashSet;

use db::dead_letters::ActionKind;
use db::timeline::{Attempt, DeadLetterAction, InOutbox, Payment, Shop};
use domain::{OrderId, OrderStatus, Verdict};
use time::{Duration, OffsetDateTime};

use super::event::{By, Event, Part, Timeline, WaitsFor, What};

/// The timeline of an order. `payment` is `None` if it could not be read.
pub(super) fn timeline(id: OrderId, shop: &Shop, payment: Option<Option<&Payment>>) -> Timeline {
    let read = if payment.is_some() { Part::Read } else { Part::Missing };
    let pending = shop.status == OrderStatus::Pending;
    let mut events = events_before_payment(shop, payment.flatten());
    events.extend(payment.flatten().map(payment_events).unwrap_or_default());
    if !pending {
        let settled = What::Settled(shop.status, shop.cancel_reason.clone());
        events.push(Event { at: None, what: What::Replied });
        events.push(Event { at: Some(shop.moved_at), what: settled });
    }
    for (at, event) in events_beside(shop) {
        insert(&mut events, at, event);
    }
    let waits_for = if pending { waits_for(shop, payment) } else { None };
    Timeline { id, status: shop.status, waits_for, payments: read, events }
}

/// The events before the payment. A re-requested order waits in the outbox a second time, and was
/// published before.
fn events_before_payment(shop: &Shop, payment: Option<&Payment>) -> Vec<Event> {
    let mut events = vec![Event { at: Some(shop.placed_at), what: What::Placed }];
    let out = shop.outbox == InOutbox::No || payment.is_some() || shop.rerequested.is_some();
    if out {
        events.push(Event { at: None, what: What::Published });
    } else {
        let at = match shop.outbox {
            InOutbox::Since(at) => Some(at),
            InOutbox::Behind | InOutbox::No => None,
        };
        events.push(Event { at, what: What::Queued });
    }
    events
}

/// The workers' events, ordered by their clock alone.
fn payment_events(payment: &Payment) -> Vec<Event> {
    let event =
        |taken: &Attempt, what: fn(By) -> What| Event { at: Some(taken.at), what: what(by(taken)) };
    let started = payment.started.as_ref();
    let mut events: Vec<Event> =
        started.map(|taken| event(taken, What::PaymentStarted)).into_iter().collect();
    events.extend(payment.unanswered.iter().map(|call| Event {
        at: Some(call.attempt.at),
        what: What::Unanswered(by(&call.attempt), call.call, call.why.clone()),
    }));
    events.extend(payment.resumed.iter().map(|taken| event(taken, What::PaymentResumed)));
    events.extend(payment.ended.iter().map(|(verdict, taken)| {
        let what = match verdict {
            Verdict::Captured => What::Captured(by(taken), payment.id),
            Verdict::Declined(reason) => What::Declined(by(taken), payment.id, reason.clone()),
        };
        Event { at: Some(taken.at), what }
    }));
    events.sort_by_key(|event| event.at);
    events
}

fn by(taken: &Attempt) -> By {
    By { worker: taken.worker.clone(), attempt: taken.number }
}

/// The events beside the pipeline, ordered by the time that decides their place.
fn events_beside(shop: &Shop) -> Vec<(OffsetDateTime, Event)> {
    let mut found = Vec::new();
    let mut dead_lettered = HashSet::new();
    for action in &shop.dead_letter_actions {
        if dead_lettered.insert(&action.dead_letter_id) {
            let what =
                What::DeadLettered { queue: action.queue.clone(), reason: action.reason.clone() };
            let when = action.dead_lettered_at.map_or(action.at, |at| within(at, action.at));
            found.push((when, Event { at: action.dead_lettered_at, what }));
        }
        found.push((action.at, Event { at: Some(action.at), what: done(action) }));
    }
    found.extend(shop.rerequested.map(|asked| {
        let what = What::PaymentRerequested(asked.times);
        (asked.at, Event { at: Some(asked.at), what })
    }));
    found.sort_by_key(|(at, _)| *at);
    found
}

/// The latest instant of a second that is before `before`: a message that was dead-lettered in the second
/// in which its order was placed was not dead-lettered before that.
fn within(second: OffsetDateTime, before: OffsetDateTime) -> OffsetDateTime {
    const NEARLY_A_SECOND: Duration = Duration::microseconds(999_999);
    second.saturating_add(NEARLY_A_SECOND).min(before.max(second))
}

fn done(action: &DeadLetterAction) -> What {
    let (by, outcome) = (action.by.clone(), action.outcome);
    match action.kind {
        ActionKind::Replay => What::Replayed { by, outcome },
        ActionKind::Discard => What::Discarded { by, outcome },
    }
}

/// Inserts behind the last event that is not later. An event without a time stays directly behind its
/// predecessor.
fn insert(events: &mut Vec<Event>, at: OffsetDateTime, event: Event) {
    let earlier = |other: &Event| other.at.is_some_and(|other| other <= at);
    let place = events.iter().rposition(earlier).map_or(0, |last| last + 1);
    let timeless = events.iter().skip(place).take_while(|event| event.at.is_none()).count();
    events.insert(place + timeless, event);
}

fn waits_for(shop: &Shop, payment: Option<Option<&Payment>>) -> Option<WaitsFor> {
    let in_outbox = shop.outbox != InOutbox::No;
    match payment {
        Some(Some(Payment { ended: Some(_), .. })) => Some(WaitsFor::NotSettled),
        Some(Some(_)) => Some(WaitsFor::UnknownCharge),
        Some(None) | None if in_outbox => Some(WaitsFor::InOutbox),
        Some(None) => Some(WaitsFor::NotBegun),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use db::dead_letters::Outcome;
    use db::timeline::{Rerequested, UnansweredCall};
    use domain::{GatewayCall, PaymentId, Reason};

    use super::*;

    fn at(seconds: u64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)
    }

    fn shop(status: OrderStatus) -> Shop {
        Shop {
            status,
            cancel_reason: None,
            placed_at: at(10),
            moved_at: at(90),
            outbox: InOutbox::No,
            rerequested: None,
            dead_letter_actions: Vec::new(),
        }
    }

    fn taken(seconds: u64, worker: &str, attempt: i32) -> Attempt {
        Attempt { at: at(seconds), worker: Some(worker.to_owned()), number: attempt }
    }

    fn payment() -> Payment {
        let started = Some(taken(12, "a", 1));
        Payment {
            id: PaymentId::new(),
            started,
            resumed: None,
            ended: None,
            unanswered: Vec::new(),
        }
    }

    fn words(shop: &Shop, payment: Option<Option<&Payment>>) -> Vec<String> {
        let shown = timeline(OrderId::new(), shop, payment);
        let word = |event: &Event| {
            let text = format!("{:?}", event.what);
            text.split(['(', ' ']).next().unwrap_or_default().to_owned()
        };
        shown.events.iter().map(word).collect()
    }

    #[test]
    fn an_order_that_went_straight_through_has_the_stages_of_the_pipeline() {
        let mut payment = payment();
        payment.ended = Some((Verdict::Captured, taken(13, "a", 1)));
        let shown = words(&shop(OrderStatus::Confirmed), Some(Some(&payment)));
        assert_eq!(
            shown,
            ["Placed", "Published", "PaymentStarted", "Captured", "Replied", "Settled"]
        );
        let shown = timeline(OrderId::new(), &shop(OrderStatus::Confirmed), Some(Some(&payment)));
        let times: Vec<_> = shown.events.iter().map(|event| event.at).collect();
        let some = |seconds| Some(at(seconds));
        assert_eq!(times, [some(10), None, some(12), some(13), None, some(90)]);
        assert_eq!((shown.waits_for, shown.payments), (None, Part::Read));
    }

    #[test]
    fn events_keep_their_order_when_the_clocks_differ() {
        let mut payment = payment();
        payment.started = Some(taken(5000, "a", 1));
        payment.resumed = Some(taken(5009, "b", 2));
        payment.unanswered = vec![UnansweredCall {
            attempt: taken(5007, "a", 1),
            call: GatewayCall::Charge,
            why: "why".to_owned(),
        }];
        let declined = Verdict::Declined(Some(Reason::from_text("no")));
        payment.ended = Some((declined, taken(5010, "b", 2)));
        let mut shop = shop(OrderStatus::Canceled);
        shop.rerequested = Some(Rerequested { times: 1, at: at(70) });
        assert_eq!(
            words(&shop, Some(Some(&payment))),
            [
                "Placed",
                "Published",
                "PaymentRerequested",
                "PaymentStarted",
                "Unanswered",
                "PaymentResumed",
                "Declined",
                "Replied",
                "Settled"
            ]
        );
    }

    #[test]
    fn a_dead_letter_appears_once_however_often_it_is_replayed() {
        let act = |seconds, letter: &str, outcome| DeadLetterAction {
            dead_letter_id: letter.to_owned(),
            queue: "q".to_owned(),
            reason: "r".to_owned(),
            dead_lettered_at: (letter == "a").then_some(at(20)),
            kind: ActionKind::Replay,
            outcome,
            by: "carl".to_owned(),
            at: at(seconds),
        };
        let mut shop = shop(OrderStatus::Confirmed);
        let (failed, done) = (Outcome::Failed, Outcome::Done);
        shop.dead_letter_actions =
            vec![act(30, "a", failed), act(40, "a", done), act(95, "b", done)];
        assert_eq!(
            words(&shop, Some(None)),
            [
                "Placed",
                "Published",
                "Replied",
                "DeadLettered",
                "Replayed",
                "Replayed",
                "Settled",
                "DeadLettered",
                "Replayed"
            ]
        );
    }

    #[test]
    fn an_order_dead_lettered_in_the_second_it_was_placed_in_was_placed_before() {
        let millis = |millis| at(10) + Duration::milliseconds(millis);
        let mut shop = shop(OrderStatus::Confirmed);
        shop.placed_at = millis(500);
        shop.dead_letter_actions = vec![DeadLetterAction {
            dead_letter_id: "a".to_owned(),
            queue: "q".to_owned(),
            reason: "r".to_owned(),
            dead_lettered_at: Some(at(10)),
            kind: ActionKind::Replay,
            outcome: Outcome::Done,
            by: "carl".to_owned(),
            at: millis(900),
        }];
        let mut payment = payment();
        payment.started = payment.started.map(|started| Attempt { at: millis(600), ..started });
        payment.resumed = Some(Attempt { at: millis(950), worker: None, number: 2 });
        let way = [
            "Placed",
            "Published",
            "PaymentStarted",
            "DeadLettered",
            "Replayed",
            "PaymentResumed",
            "Replied",
            "Settled",
        ];
        assert_eq!(words(&shop, Some(Some(&payment))), way);
    }

    #[test]
    fn the_reason_to_wait_is_shown_as_far_as_it_is_known() {
        let mut shop = shop(OrderStatus::Pending);
        let mut payment = payment();
        fn waits(shop: &Shop, payment: Option<Option<&Payment>>) -> Option<WaitsFor> {
            timeline(OrderId::new(), shop, payment).waits_for
        }
        assert_eq!(waits(&shop, Some(None)), Some(WaitsFor::NotBegun));
        assert_eq!(waits(&shop, None), None);
        assert_eq!(waits(&shop, Some(Some(&payment))), Some(WaitsFor::UnknownCharge));
        payment.ended = Some((Verdict::Captured, taken(13, "a", 1)));
        assert_eq!(waits(&shop, Some(Some(&payment))), Some(WaitsFor::NotSettled));
        for outbox in [InOutbox::Since(at(10)), InOutbox::Behind] {
            shop.outbox = outbox;
            assert_eq!(waits(&shop, None), Some(WaitsFor::InOutbox));
            assert_eq!(words(&shop, Some(None)), ["Placed", "Queued"]);
        }
        assert_eq!(timeline(OrderId::new(), &shop, None).payments, Part::Missing);
        shop.rerequested = Some(Rerequested { times: 2, at: at(70) });
        assert_eq!(words(&shop, Some(None)), ["Placed", "Published", "PaymentRerequested"]);
    }
}
