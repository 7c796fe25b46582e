use db::idempotency::{self, Keyed, KeyedRequest, RequestKind};
use db::{Error, customers, products};
use domain::{
    Amount, Currency, Customer, CustomerChange, NewCustomer, NewProduct, Product, ProductChange,
};

use super::store::Store;

pub(super) fn new_product(name: &str, price: Amount) -> NewProduct {
    NewProduct { name: name.parse().unwrap(), price, currency: Currency::Eur }
}

fn new_customer(name: &str) -> NewCustomer {
    NewCustomer { name: name.parse().unwrap(), email: "l@a.org".parse().unwrap() }
}

fn under(kind: RequestKind, key: &str, content: &str) -> KeyedRequest {
    KeyedRequest { kind, key: key.parse().unwrap(), content: content.to_owned() }
}

fn done<T: std::fmt::Debug>(keyed: Result<Keyed<T>, Error>) -> T {
    match keyed.unwrap() {
        Keyed::Done(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn rename(name: &str) -> CustomerChange {
    CustomerChange { name: Some(name.parse().unwrap()), email: None }
}

fn reprice(price: Amount) -> ProductChange {
    ProductChange { name: None, price: Some(price) }
}

#[tokio::test]
async fn customers_are_created_changed_archived_and_listed() {
    let store = Store::fresh().await;
    let db = &store.db;
    let luke = customers::get(db, "1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((luke.name.as_str(), luke.email.as_str()), ("Luke Skywalker", "mail@naboo.com"));
    let leia = done(customers::create(db, &new_customer("Leia"), None).await);
    assert_eq!(leia.id.get(), 2, "the seed left the sequence where it belongs");

    let organa = rename("Leia Organa");
    let changed = customers::update(db, leia.id, &organa, Some(&leia)).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), &changed.email), ("Leia Organa", &leia.email));
    assert!(changed.updated_at > leia.updated_at);
    assert_eq!(customers::update(db, leia.id, &organa, None).await.unwrap(), None, "the same");
    let solo = rename("Leia Solo");
    assert_eq!(customers::update(db, leia.id, &solo, Some(&leia)).await.unwrap(), None, "stale");
    let page = customers::list(db, None, 10).await.unwrap().rows;
    assert_eq!(page.iter().map(|c| c.id.get()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        customers::list(db, Some(luke.id), 10).await.unwrap().rows,
        std::slice::from_ref(&changed)
    );

    assert!(!customers::archive(db, leia.id, Some(&leia)).await.unwrap(), "stale");
    assert!(customers::archive(db, leia.id, Some(&changed)).await.unwrap());
    let first = customers::get(db, leia.id).await.unwrap().unwrap().archived_at;
    assert!(customers::archive(db, leia.id, None).await.unwrap());
    assert_eq!(customers::get(db, leia.id).await.unwrap().unwrap().archived_at, first);
    assert_eq!(customers::update(db, leia.id, &solo, None).await.unwrap(), None);
    assert_eq!(customers::list(db, None, 10).await.unwrap().rows.len(), 1);
    assert!(!customers::archive(db, "99".parse().unwrap(), None).await.unwrap());
    let restored = customers::restore(db, leia.id, None).await.unwrap().unwrap();
    let Keyed::Done(Customer { archived_at: None, .. }) = restored else { panic!("{restored:?}") };
    assert_eq!(customers::restore(db, "99".parse().unwrap(), None).await.unwrap(), None);
}

#[tokio::test]
async fn products_are_created_changed_archived_and_listed() {
    let store = Store::fresh().await;
    let db = &store.db;
    let price = Amount::from_minor(10).unwrap();
    let saber = done(products::create(db, &new_product("Saber", price), None).await);
    assert_eq!((saber.id.get(), saber.price, saber.currency), (2, price, Currency::Eur));

    let dearer = reprice(Amount::MAX);
    let changed = products::update(db, saber.id, &dearer, Some(&saber)).await.unwrap().unwrap();
    assert_eq!((changed.price, &changed.name), (Amount::MAX, &saber.name));
    assert_eq!(products::update(db, saber.id, &dearer, None).await.unwrap(), None, "the same");
    let cheap = reprice(price);
    assert_eq!(products::update(db, saber.id, &cheap, Some(&saber)).await.unwrap(), None, "stale");
    assert_eq!(products::get(db, saber.id).await.unwrap(), Some(changed.clone()));
    let page = products::list(db, Some("1".parse().unwrap()), 10).await.unwrap().rows;
    assert_eq!(page, std::slice::from_ref(&changed));

    assert!(!products::archive(db, saber.id, Some(&saber)).await.unwrap(), "stale");
    assert!(products::archive(db, saber.id, Some(&changed)).await.unwrap());
    assert_eq!(products::update(db, saber.id, &cheap, None).await.unwrap(), None);
    assert_eq!(products::list(db, None, 10).await.unwrap().rows.len(), 1);
    let restored = products::restore(db, saber.id, None).await.unwrap().unwrap();
    let Keyed::Done(Product { archived_at: None, .. }) = restored else { panic!("{restored:?}") };
    assert_eq!(products::restore(db, "99".parse().unwrap(), None).await.unwrap(), None);
}

#[tokio::test]
async fn a_key_has_one_effect_and_one_answer_for_ever() {
    let store = Store::fresh().await;
    let db = &store.db;
    let price = Amount::from_minor(10).unwrap();
    let new = new_product("Saber", price);
    let request = under(RequestKind::CreateProduct, "k", "saber");
    let saber = done(products::create(db, &new, Some(&request)).await);
    products::update(db, saber.id, &reprice(Amount::MAX), None).await.unwrap().unwrap();
    assert!(products::archive(db, saber.id, None).await.unwrap());

    let again = products::create(db, &new, Some(&request)).await.unwrap();
    let other = under(RequestKind::CreateProduct, "k", "other");
    let other = products::create(db, &new, Some(&other)).await.unwrap();

    assert_eq!((again, other), (Keyed::Repeated(saber.clone()), Keyed::Reused));
    let restore = under(RequestKind::RestoreProduct, "k", "2");
    let restored = done(products::restore(db, saber.id, Some(&restore)).await.map(Option::unwrap));
    assert_eq!((restored.archived_at, restored.price), (None, Amount::MAX));
    assert!(products::archive(db, saber.id, None).await.unwrap());
    let again = products::restore(db, saber.id, Some(&restore)).await.unwrap();
    assert_eq!(again, Some(Keyed::Repeated(restored)));
    assert!(products::get(db, saber.id).await.unwrap().unwrap().archived_at.is_some());
    let request = under(RequestKind::CreateCustomer, "k", "leia");
    let leia = done(customers::create(db, &new_customer("Leia"), Some(&request)).await);
    let again = customers::create(db, &new_customer("Leia"), Some(&request)).await.unwrap();
    assert_eq!(again, Keyed::Repeated(leia.clone()));
    let restore = under(RequestKind::RestoreCustomer, "k", "2");
    let restored = customers::restore(db, leia.id, Some(&restore)).await.unwrap();
    assert_eq!(restored, Some(Keyed::Done(leia.clone())), "it was not archived");
    let again = customers::restore(db, leia.id, Some(&restore)).await.unwrap();
    assert_eq!(again, Some(Keyed::Repeated(leia)));
    assert_eq!(store.count("select count(*) from products").await, 2);
    assert_eq!(store.count("select count(*) from customers").await, 2);
}

#[tokio::test]
async fn of_requests_with_one_key_at_the_same_time_one_has_the_effect() {
    let store = Store::fresh().await;
    let db = &store.db;
    let new = new_product("Saber", Amount::MAX);
    for n in 0..20 {
        let request = under(RequestKind::CreateProduct, &format!("k-{n}"), "saber");
        let create = || products::create(db, &new, Some(&request));
        let (one, two, three) = tokio::join!(create(), create(), create());
        let each = [one.unwrap(), two.unwrap(), three.unwrap()];
        let now = each.iter().filter(|keyed| matches!(keyed, Keyed::Done(_))).count();
        let repeated = each.iter().filter(|keyed| matches!(keyed, Keyed::Repeated(_))).count();
        assert_eq!((now, repeated), (1, 2), "{each:?}");
    }
    assert_eq!(store.count("select count(*) from products").await, 21);
}

#[tokio::test]
async fn an_answer_whose_effect_is_elsewhere_is_stored_and_found() {
    let store = Store::fresh().await;
    let request = under(RequestKind::ReplayDeadLetters, "k", "all");
    assert_eq!(idempotency::find(&store.db, &request).await.unwrap(), None);
    idempotency::store(&store.db, &request, "{\"replayed\": 7}").await.unwrap();
    idempotency::store(&store.db, &request, "{\"replayed\": 0}").await.unwrap();
    let found = idempotency::find(&store.db, &request).await.unwrap();
    assert_eq!(found, Some(Keyed::Repeated("{\"replayed\": 7}".to_owned())));
    let other = under(RequestKind::ReplayDeadLetters, "k", "other");
    assert_eq!(idempotency::find(&store.db, &other).await.unwrap(), Some(Keyed::Reused));
    let kind = under(RequestKind::ActOnDeadLetter, "k", "all");
    assert_eq!(idempotency::find(&store.db, &kind).await.unwrap(), None);
}
