//! Statements in the world's database, without a proxy in between.

use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use super::core::World;
use crate::fail::OrFail;

impl World {
    /// Runs one statement on a connection of its own and returns its rows.
    pub async fn sql(&self, statement: &str) -> Vec<Row> {
        self.sql_with(statement, &[]).await
    }

    /// [`World::sql`] with parameters.
    pub async fn sql_with(&self, statement: &str, values: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.try_sql(statement, values).await.or_fail(statement)
    }

    /// The single number that a query returns.
    pub async fn count(&self, query: &str) -> i64 {
        self.try_count(query).await.or_fail(query)
    }

    /// [`World::count`] with an error instead of a panic, for use while the server is killed.
    pub async fn try_count(&self, query: &str) -> Result<i64, tokio_postgres::Error> {
        let rows = self.try_sql(query, &[]).await?;
        rows.first().or_fail("find one row").try_get(0)
    }

    /// [`World::sql`] in another database of the same server.
    pub async fn sql_in(&self, database: &str, statement: &str) -> Vec<Row> {
        self.run_in(database, statement, &[]).await.or_fail(statement)
    }

    /// [`World::sql_with`] with an error instead of a panic, for use while the server is killed.
    pub async fn try_sql(
        &self,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.run_in(self.name(), statement, values).await
    }

    async fn run_in(
        &self,
        database: &str,
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let config = self.isolation.postgres().config(database);
        let (client, connection) = config.connect(NoTls).await?;
        let work = async {
            let rows = client.query(statement, values).await;
            drop(client);
            rows
        };
        let (rows, _closed) = tokio::join!(work, connection);
        rows
    }
}
