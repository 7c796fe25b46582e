//! Every deliberate break is caught by the promise that it breaks.

use std::collections::BTreeSet;

use model::{Pipeline, Variant, Verb, check, goes_in_circles, shortest};

const COMMITTED: &str = "P1 a 201 means committed";
const ENDS: &str = "P1 every order has its end";
const CAPTURED_ONCE: &str = "P2 money is captured at most once";
const CONFIRMED_IFF: &str = "P2 confirmed if and only if captured";
const DECLINED: &str = "P3 canceled only by the gateway's own word";
const ROW: &str = "P4 an outbox row goes only after its requests are stored";
const DURABLE: &str = "P4 a pending order survives every death";
const MOVES_ONCE: &str = "P5 a status moves once";

/// The properties that a variant breaks; the first one has to catch it.
fn breaks(variant: Variant) -> &'static [&'static str] {
    match variant {
        Variant::AnswerBeforeCommit => &[COMMITTED, ENDS],
        Variant::NoSweep | Variant::EndlessLease => &[ENDS],
        Variant::RemoveUnconfirmed => &[ROW, DURABLE, ENDS],
        Variant::AckBeforeRecord
        | Variant::ReplyUnconfirmed
        | Variant::CopyUnconfirmed
        | Variant::SettleAcksFirst => &[DURABLE, ENDS],
        Variant::NewKeyEachTime | Variant::GatewayWithoutKeys => &[CAPTURED_ONCE],
        Variant::FickleGateway => &[CONFIRMED_IFF],
        Variant::TimeoutIsDeclined => &[DECLINED, CONFIRMED_IFF],
        Variant::NoStatusGuard => &[MOVES_ONCE, CONFIRMED_IFF, DECLINED],
    }
}

#[test]
fn every_broken_variant_breaks_exactly_its_promises() {
    for variant in Variant::ALL {
        let pipeline = Pipeline::broken(variant);
        let found: BTreeSet<_> = check(&pipeline).breaks.into_iter().collect();
        assert_eq!(found, breaks(variant).iter().copied().collect(), "{variant:?}");
        assert_eq!(variant.caught_by(), breaks(variant)[0], "{variant:?}");
        assert!(!goes_in_circles(&pipeline), "{variant:?}");
    }
}

#[test]
fn a_counterexample_is_as_short_as_it_can_be() {
    let path = |variant: Variant| {
        let broken = shortest(&Pipeline::broken(variant), variant.caught_by(), 30).unwrap();
        broken.steps.into_iter().map(|described| described.step.verb).collect::<Vec<_>>()
    };
    assert_eq!(path(Variant::RemoveUnconfirmed), [Verb::Place, Verb::RequestRefused, Verb::Remove]);
    assert_eq!(path(Variant::NoSweep), [Verb::PlaceUnleased]);
    assert_eq!(path(Variant::CopyUnconfirmed).len(), 8);
    let pipeline = Pipeline::broken(Variant::RemoveUnconfirmed);
    assert!(shortest(&pipeline, Variant::RemoveUnconfirmed.caught_by(), 2).is_none());
}
