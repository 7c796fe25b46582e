use db::{customers, products};
use domain::{Amount, Currency};

use super::store::Store;

#[tokio::test]
async fn customers_are_created_changed_archived_and_listed() {
    let store = Store::fresh().await;
    let db = &store.db;
    let luke = customers::get(db, "1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((luke.name.as_str(), luke.email.as_str()), ("Luke Skywalker", "mail@naboo.com"));
    let (name, email) = ("Leia".parse().unwrap(), "l@a.org".parse().unwrap());
    let leia = customers::create(db, &name, &email).await.unwrap();
    assert_eq!(leia.id.get(), 2, "the seed left the sequence where it belongs");

    let organa = "Leia Organa".parse().unwrap();
    let changed = customers::update(db, leia.id, Some(&organa), None).await.unwrap().unwrap();
    assert_eq!((&changed.name, &changed.email), (&organa, &leia.email));
    let page = customers::list(db, None, 10).await.unwrap().rows;
    assert_eq!(page.iter().map(|c| c.id.get()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(customers::list(db, Some(luke.id), 10).await.unwrap().rows, [changed]);

    assert!(customers::archive(db, leia.id).await.unwrap());
    let first = customers::get(db, leia.id).await.unwrap().unwrap().archived_at;
    assert!(customers::archive(db, leia.id).await.unwrap());
    assert_eq!(customers::get(db, leia.id).await.unwrap().unwrap().archived_at, first);
    assert_eq!(customers::update(db, leia.id, Some(&organa), None).await.unwrap(), None);
    assert_eq!(customers::list(db, None, 10).await.unwrap().rows.len(), 1);
    assert!(!customers::archive(db, "99".parse().unwrap()).await.unwrap());
}

#[tokio::test]
async fn products_are_created_changed_archived_and_listed() {
    let store = Store::fresh().await;
    let db = &store.db;
    let price = Amount::from_minor(10).unwrap();
    let name = "Saber".parse().unwrap();
    let saber = products::create(db, &name, price, Currency::Eur).await.unwrap();
    assert_eq!((saber.id.get(), saber.price, saber.currency), (2, price, Currency::Eur));

    let dearer = Amount::MAX;
    let changed = products::update(db, saber.id, None, Some(dearer)).await.unwrap().unwrap();
    assert_eq!((changed.price, &changed.name), (dearer, &saber.name));
    assert_eq!(products::get(db, saber.id).await.unwrap(), Some(changed.clone()));
    assert_eq!(products::list(db, Some("1".parse().unwrap()), 10).await.unwrap().rows, [changed]);

    assert!(products::archive(db, saber.id).await.unwrap());
    assert_eq!(products::update(db, saber.id, None, Some(price)).await.unwrap(), None);
    assert_eq!(products::list(db, None, 10).await.unwrap().rows.len(), 1);
}
