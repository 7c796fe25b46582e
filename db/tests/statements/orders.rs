use db::idempotency::Keyed;
use db::orders::{Page, PlaceOrder, PlaceOutcome, Refusal, SettleOrder, get, list, place, settle};
use db::products;
use domain::{Amount, NewOrder, OrderStatus, Quantity, Verdict};

use super::shop::new_product;
use super::store::{HOUR, Store, command, command_with_key};

#[tokio::test]
async fn a_batch_is_placed_in_one_go_and_each_order_gets_its_own_answer() {
    let store = Store::fresh().await;
    let mut unknown_product = command();
    unknown_product.order.product_id = "99".parse().unwrap();
    let mut unknown_customer = command();
    unknown_customer.order.customer_id = "99".parse().unwrap();
    let star = new_product("Star", Amount::MAX);
    let Keyed::Done(star) = products::create(&store.db, &star, None).await.unwrap() else {
        panic!()
    };
    let star = star.id;
    let order =
        NewOrder { product_id: star, quantity: Quantity::new(2).unwrap(), ..command().order };
    let too_large = PlaceOrder { order, ..command() };
    let batch =
        [command(), unknown_product, command_with_key("k"), unknown_customer, too_large, command()];

    let placed = place(&store.db, &batch, HOUR).await.unwrap().each;

    let refused = |i: usize| match &placed[i] {
        PlaceOutcome::Refused(refusal) => *refusal,
        other => panic!("{i}: {other:?}"),
    };
    assert_eq!(refused(1), Refusal::UnknownProduct);
    assert_eq!(refused(3), Refusal::UnknownCustomer);
    assert_eq!(refused(4), Refusal::TotalTooLarge);
    for i in [0, 2, 5] {
        let PlaceOutcome::Placed(order) = &placed[i] else { panic!("{i}: {:?}", placed[i]) };
        assert_eq!(get(&store.db, batch[i].id).await.unwrap().as_ref(), Some(order));
        assert_eq!((order.total.minor(), order.status), (19900, OrderStatus::Pending));
    }
    assert_eq!(store.count("select count(*) from orders").await, 3);
    assert_eq!(store.count("select count(*) from outbox").await, 1);
}

#[tokio::test]
async fn the_same_batch_again_finds_out_that_it_was_placed() {
    let store = Store::fresh().await;
    let batch = [command(), command_with_key("k")];
    let first = place(&store.db, &batch, HOUR).await.unwrap();

    let again = place(&store.db, &batch, HOUR).await.unwrap();

    assert_eq!((first.each, None), (again.each, again.outbox));
    assert!(first.outbox.is_some());
    assert_eq!(store.count("select count(*) from outbox").await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_request_for_ever_also_within_one_batch() {
    let store = Store::fresh().await;
    let mut other = command_with_key("k");
    other.order.quantity = Quantity::new(2).unwrap();
    let batch = [command_with_key("k"), command_with_key("k"), other];

    let placed = place(&store.db, &batch, HOUR).await.unwrap().each;

    let now = placed.iter().filter(|p| matches!(p, PlaceOutcome::Placed(_))).count();
    assert_eq!((now, store.count("select count(*) from orders").await), (1, 1), "{placed:?}");
    let later = place(&store.db, &[command_with_key("k")], HOUR).await.unwrap().each;
    let stored_quantity = store.count("select quantity::bigint from orders").await;
    match &later[0] {
        PlaceOutcome::Repeated(order) => {
            assert_eq!(i64::from(order.quantity.get()), stored_quantity)
        }
        other => {
            assert_eq!((other, stored_quantity), (&PlaceOutcome::Refused(Refusal::KeyUsed), 2))
        }
    }
}

#[tokio::test]
async fn batches_that_share_keys_in_opposite_order_do_not_wait_for_each_other() {
    let store = Store::fresh().await;
    let keys: Vec<String> = (0..50).map(|n| format!("key-{n}")).collect();
    for _ in 0..10 {
        store.look.batch_execute("truncate orders, outbox").await.unwrap();
        let forward: Vec<_> = keys.iter().map(|key| command_with_key(key)).collect();
        let backward: Vec<_> = keys.iter().rev().map(|key| command_with_key(key)).collect();
        let (one, two) =
            tokio::join!(place(&store.db, &forward, HOUR), place(&store.db, &backward, HOUR));
        let both = one.unwrap().each.into_iter().chain(two.unwrap().each);
        let now = both.filter(|p| matches!(p, PlaceOutcome::Placed(_))).count();
        assert_eq!(now, 50);
    }
}

#[tokio::test]
async fn pages_are_filtered_and_go_from_the_newest_to_the_oldest() {
    let store = Store::fresh().await;
    let mut ids = store.placed(5).await;
    ids.reverse();
    let page = Page { limit: 3, ..Page::default() };
    let listed = async |page: Page| {
        let page = list(&store.db, &page).await.unwrap().rows;
        page.into_iter().map(|order| order.id).collect::<Vec<_>>()
    };

    assert_eq!(listed(page.clone()).await, ids[..3]);
    assert_eq!(listed(Page { before: Some(ids[2]), ..page.clone() }).await, ids[3..]);
    let (luke, han) = (Some("1".parse().unwrap()), Some("2".parse().unwrap()));
    assert_eq!(listed(Page { customer_id: han, ..page.clone() }).await, []);
    let confirmed = SettleOrder { id: ids[1], verdict: Verdict::Captured };
    let canceled = SettleOrder { id: ids[4], verdict: Verdict::Declined(None) };
    settle(&store.db, &[confirmed, canceled]).await.unwrap();
    let wanted = [vec![ids[0], ids[2], ids[3]], vec![ids[1]], vec![ids[4]]];
    for (status, wanted) in OrderStatus::ALL.into_iter().zip(wanted) {
        let status = Some(status);
        let of_all = Page { status, ..page.clone() };
        assert_eq!(listed(of_all.clone()).await, wanted);
        assert_eq!(listed(Page { customer_id: luke, ..of_all.clone() }).await, wanted);
        assert_eq!(listed(Page { customer_id: han, ..of_all.clone() }).await, []);
        assert_eq!(listed(Page { before: Some(ids[4]), ..of_all }).await, []);
    }
}

#[tokio::test]
async fn an_order_is_charged_the_expected_total_or_not_placed() {
    let store = Store::fresh().await;
    let expecting = |minor: i64, key: Option<&str>| {
        let mut command = command();
        command.order.expected_total = Some(Amount::from_minor(minor).unwrap());
        command.key = key.map(|key| key.parse().unwrap());
        command
    };
    let batch =
        [expecting(19_900, Some("k")), expecting(19_899, None), expecting(0, None), command()];

    let placed = place(&store.db, &batch, HOUR).await.unwrap().each;

    let total = Amount::from_minor(19_900).unwrap();
    assert!(matches!(placed[0], PlaceOutcome::Placed(_)), "{placed:?}");
    for outcome in &placed[1..3] {
        assert_eq!(outcome, &PlaceOutcome::Refused(Refusal::TotalDiffers(total)));
    }
    assert!(matches!(placed[3], PlaceOutcome::Placed(_)), "{placed:?}");
    store.look.batch_execute("update products set price_minor = 25000").await.unwrap();
    let again =
        [expecting(19_900, Some("k")), expecting(25_000, Some("k")), expecting(19_900, None)];
    let again = place(&store.db, &again, HOUR).await.unwrap().each;
    assert!(
        matches!(&again[0], PlaceOutcome::Repeated(order) if order.total == total),
        "{again:?}"
    );
    assert_eq!(again[1], PlaceOutcome::Refused(Refusal::KeyUsed));
    assert!(matches!(again[2], PlaceOutcome::Refused(Refusal::TotalDiffers(_))), "{again:?}");
}
