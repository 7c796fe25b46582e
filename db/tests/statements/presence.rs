use std::time::Duration;

use db::activity::oldest_transaction;
use db::orders::place;
use db::outbox::{LeaseTerms, claim};
use db::presence::{Holder, hold};
use testkit::eventually;

use super::store::{HOUR, Store, command};

#[tokio::test]
async fn the_rows_of_a_process_are_free_as_soon_as_it_is_gone() {
    let store = Store::fresh().await;
    let presence = hold(&store.db, Holder::random()).await.unwrap().unwrap();
    assert!(presence.holds().await.unwrap());
    let lease = LeaseTerms { length: HOUR, holder: Some(presence.holder()) };
    place(&store.db, &[command()], lease).await.unwrap();
    place(&store.db, &[command()], HOUR).await.unwrap();
    assert_eq!(hold(&store.db, presence.holder()).await.unwrap().map(|_| ()), None);
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), [], "both are leased");

    drop(presence);

    let claimed = eventually("the row to be free", Duration::from_secs(10), async || {
        let claimed = claim(&store.db, 10, HOUR).await.unwrap();
        if claimed.is_empty() { Err("still leased") } else { Ok(claimed) }
    })
    .await;
    assert_eq!(claimed.len(), 1, "the row without a holder is free after its lease only");
    assert_eq!(claim(&store.db, 10, HOUR).await.unwrap(), [], "leased again, without a holder");
}

#[tokio::test]
async fn the_oldest_transaction_is_as_old_as_it_is() {
    let store = Store::fresh().await;
    assert!(oldest_transaction(&store.db).await.unwrap() < Duration::from_secs(1));
    store.look.batch_execute("begin isolation level repeatable read; select").await.unwrap();
    eventually("a second to pass", Duration::from_secs(30), async || {
        oldest_transaction(&store.db).await.unwrap() > Duration::from_secs(1)
    })
    .await;
}
