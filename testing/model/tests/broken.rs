//! Everything that is broken on purpose is caught, and by the promise that it breaks.

use std::collections::BTreeSet;

use model::{Road, Variant, Verb, check, goes_in_circles, shortest};

const COMMITTED: &str = "P1 a 201 means committed";
const ENDS: &str = "P1 where nothing moves any more, every order has its end";
const CAPTURED_ONCE: &str = "P2 money is captured at most once";
const CONFIRMED_IFF: &str = "P2 confirmed if and only if captured";
const DECLINED: &str = "P3 canceled only by the gateway's own word";
const ROW: &str = "P4 an outbox row goes only after its requests are stored";
const STANDS: &str = "P4 a pending order stands where it survives everybody's death";
const MOVES_ONCE: &str = "P5 a status moves once";

/// What breaks; the first one is what has to catch it.
fn breaks(variant: Variant) -> &'static [&'static str] {
    match variant {
        Variant::AnswerBeforeCommit => &[COMMITTED, ENDS],
        Variant::NoSweep | Variant::EndlessLease => &[ENDS],
        Variant::RemoveUnconfirmed => &[ROW, STANDS, ENDS],
        Variant::AckBeforeRecord
        | Variant::ReplyUnconfirmed
        | Variant::CopyUnconfirmed
        | Variant::SettleAcksFirst => &[STANDS, ENDS],
        Variant::NewKeyEachTime | Variant::GatewayWithoutKeys => &[CAPTURED_ONCE],
        Variant::FickleGateway => &[CONFIRMED_IFF],
        Variant::TimeoutIsDeclined => &[DECLINED, CONFIRMED_IFF],
        Variant::NoStatusGuard => &[MOVES_ONCE, CONFIRMED_IFF, DECLINED],
    }
}

#[test]
fn what_is_broken_on_purpose_breaks_exactly_these_promises() {
    for variant in Variant::ALL {
        let road = Road::broken(variant);
        let found: BTreeSet<_> = check(&road).breaks.into_iter().collect();
        assert_eq!(found, breaks(variant).iter().copied().collect(), "{variant:?}");
        assert_eq!(variant.caught_by(), breaks(variant)[0], "{variant:?}");
        assert!(!goes_in_circles(&road), "{variant:?}");
    }
}

#[test]
fn a_counterexample_is_as_short_as_it_can_be() {
    let way = |variant: Variant| {
        let broken = shortest(&Road::broken(variant), variant.caught_by(), 30).unwrap();
        broken.steps.into_iter().map(|told| told.step.verb).collect::<Vec<_>>()
    };
    assert_eq!(way(Variant::RemoveUnconfirmed), [Verb::Place, Verb::RequestRefused, Verb::Remove]);
    assert_eq!(way(Variant::NoSweep), [Verb::PlaceUnleased]);
    assert_eq!(way(Variant::CopyUnconfirmed).len(), 8);
    let road = Road::broken(Variant::RemoveUnconfirmed);
    assert!(shortest(&road, Variant::RemoveUnconfirmed.caught_by(), 2).is_none());
}
