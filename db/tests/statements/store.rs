//! A database of its own for each test.

use std::time::Duration;

use db::orders::{PlaceOrder, PlaceOutcome};
use db::{Db, Migrations, Settings, migrate};
use domain::{NewOrder, OrderId, Quantity, RequestId, WorkerName};
use service::Secret;
use testkit::{postgres, servers};
use tokio::runtime::Handle;
use tokio_postgres::{Client, NoTls};

/// A lease longer than any test.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) struct Store {
    pub(super) db: Db,
    pub(super) settings: Settings,
    /// A connection beside the pool.
    pub(super) look: Client,
}

impl Store {
    pub(super) async fn fresh() -> Store {
        let server = &servers::shared().await.postgres;
        let name = servers::fresh_name();
        server.create_database(&name).await.unwrap();
        let settings = Settings {
            host: "127.0.0.1".to_owned(),
            port: server.port(),
            user: postgres::USER.to_owned(),
            password: Secret::new(postgres::PASSWORD),
            database: name.clone(),
            pool_max: 4,
            statement_timeout: Duration::from_secs(10),
            app: "statements",
        };
        migrate(&settings, Migrations::Shop).await.unwrap();
        migrate(&settings, Migrations::Payments).await.unwrap();
        let (look, connection) = server.config(&name).connect(NoTls).await.unwrap();
        Handle::current().spawn(connection);
        Store { db: Db::new(&settings, Handle::current()).unwrap(), settings, look }
    }

    pub(super) async fn count(&self, query: &str) -> i64 {
        self.look.query_one(query, &[]).await.unwrap().get(0)
    }

    pub(super) async fn placed(&self, count: usize) -> Vec<OrderId> {
        let batch: Vec<PlaceOrder> = (0..count).map(|_| command()).collect();
        let placed = db::orders::place(&self.db, &batch, HOUR).await.unwrap();
        assert!(placed.each.iter().all(|placed| matches!(placed, PlaceOutcome::Placed(_))));
        batch.iter().map(|command| command.id).collect()
    }
}

/// The command to place an order of one iPhone for Luke.
pub(super) fn command() -> PlaceOrder {
    PlaceOrder {
        id: OrderId::new(),
        order: NewOrder {
            customer_id: "1".parse().unwrap(),
            product_id: "1".parse().unwrap(),
            quantity: Quantity::new(1).unwrap(),
            payment_method: None,
            expected_total: None,
        },
        key: None,
        request_id: RequestId::made_here(),
        traceparent: None,
    }
}

pub(super) fn command_with_key(key: &str) -> PlaceOrder {
    PlaceOrder { key: Some(key.parse().unwrap()), ..command() }
}

/// A worker.
pub(super) fn anna() -> WorkerName {
    "anna/1".parse().unwrap()
}

/// Another one.
pub(super) fn bob() -> WorkerName {
    "bob/2".parse().unwrap()
}
