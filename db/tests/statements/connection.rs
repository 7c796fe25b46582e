use db::{Db, Migrations, migrate, migrate_when_there, outbox, until_stored};
use futures_util::future::join_all;
use tokio::runtime::Handle;

use super::store::Store;

#[tokio::test]
async fn many_processes_migrate_at_the_same_time_and_again() {
    let store = Store::fresh().await;
    let tasks = service::Tasks::on(Handle::current());
    let all = (0..6).map(|_| migrate(&store.settings, Migrations::Shop));
    assert!(join_all(all).await.iter().all(Result::is_ok));
    migrate_when_there(&store.settings, Migrations::Payments, &tasks).await.unwrap();
    assert_eq!(store.count("select count(*) from migrations_shop").await, 8);
    assert_eq!(store.count("select count(*) from products").await, 1);
}

#[tokio::test]
async fn a_connection_that_was_killed_is_replaced_without_the_caller_noticing() {
    let store = Store::fresh().await;
    for _ in 0..5 {
        store.db.ping().await.unwrap();
        let killed = store.look.query(
            "select pg_terminate_backend(pid) from pg_stat_activity
              where application_name = 'statements' and pid <> pg_backend_pid()
                and datname = current_database()",
            &[],
        );
        killed.await.unwrap();
        outbox::claim(&store.db, 1, super::store::HOUR).await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_that_may_pass() {
    let store = Store::fresh().await;
    let mut settings = store.settings.clone();
    settings.port = testkit::ports::free().unwrap();
    let db = Db::new(&settings, Handle::current()).unwrap();
    assert!(matches!(db.ping().await, Err(db::Error::Unavailable(_))));
    let text = format!("{:?} {:?}", settings, db.ping().await);
    assert!(!text.contains(store.settings.password.reveal()) || text.contains("(hidden)"));
}

/// Fails its first batches with the given errors.
struct Failing(std::sync::Mutex<Vec<db::Error>>);

impl batcher::BatchHandler for Failing {
    const NAME: &'static str = "failing";
    type Item = u8;
    type Output = ();
    type Error = db::Error;

    async fn run(&self, batch: &[u8]) -> Result<Vec<()>, db::Error> {
        match self.0.lock().unwrap().pop() {
            Some(error) => Err(error),
            None => Ok(vec![(); batch.len()]),
        }
    }

    fn may_blame_an_item(_: &db::Error) -> bool {
        false
    }
}

#[tokio::test]
async fn work_is_stored_when_the_database_is_back_and_refused_when_it_says_no() {
    use batcher::{BatchLimits, Batcher};
    use service::{Runtime, Tasks};
    use telemetry::metrics::Metrics;
    let runtime = Runtime { tasks: Tasks::on(Handle::current()), metrics: Metrics::new("test") };
    let limits = BatchLimits { waiting_max: 8, batch_max: 8, in_flight_max: 1 };
    let away = || db::Error::Unavailable("away".to_owned());
    let handler = Failing(std::sync::Mutex::new(vec![away(), away()]));
    let batcher = Batcher::open(handler, limits, &runtime);
    assert_eq!(until_stored(&batcher, &[1]).await, [Ok(())]);
    let handler = Failing(std::sync::Mutex::new(vec![db::Error::Refused("no".to_owned())]));
    let batcher = Batcher::open(handler, limits, &runtime);
    assert_eq!(until_stored(&batcher, &[1]).await, [Err(db::Error::Refused("no".to_owned()))]);
}
