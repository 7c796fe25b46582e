//! A database and a virtual host for one test, on shared or on private servers.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::postgres::Postgres;
use crate::rabbitmq::RabbitMq;
use crate::servers::{self, Servers};

/// The databases and virtual hosts of finished tests on the shared servers. The next test removes
/// them, so that the node does not have a thousand queues after a hundred tests.
static FINISHED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Debug)]
enum Home {
    Shared(&'static Servers),
    Private(Box<Servers>),
}

/// An empty database and an empty virtual host of the same name.
#[derive(Debug)]
pub struct Isolation {
    home: Home,
    name: String,
}

impl Isolation {
    /// On the servers that all tests of this binary share.
    pub async fn on_shared_servers() -> Result<Isolation> {
        let servers = servers::shared().await;
        let finished = std::mem::take(&mut *finished_names());
        for name in finished {
            servers.postgres.drop_database(&name).await?;
            servers.rabbitmq.delete_vhost(&name).await?;
        }
        Isolation::begin(Home::Shared(servers)).await
    }

    /// On private servers, which the test may break.
    pub async fn on_private_servers() -> Result<Isolation> {
        Isolation::begin(Home::Private(Box::new(servers::private().await))).await
    }

    async fn begin(home: Home) -> Result<Isolation> {
        let isolation = Isolation { home, name: servers::fresh_name() };
        isolation.postgres().create_database(&isolation.name).await?;
        isolation.rabbitmq().create_vhost(&isolation.name).await?;
        Ok(isolation)
    }

    /// PostgreSQL.
    pub fn postgres(&self) -> &Postgres {
        &self.servers().postgres
    }

    /// RabbitMQ.
    pub fn rabbitmq(&self) -> &RabbitMq {
        &self.servers().rabbitmq
    }

    /// The name of the database and of the virtual host.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The servers, if they are private.
    pub fn private(&self) -> Option<&Servers> {
        match &self.home {
            Home::Shared(_) => None,
            Home::Private(servers) => Some(servers),
        }
    }

    fn servers(&self) -> &Servers {
        match &self.home {
            Home::Shared(servers) => servers,
            Home::Private(servers) => servers,
        }
    }
}

impl Drop for Isolation {
    fn drop(&mut self) {
        if let Home::Shared(_) = self.home {
            finished_names().push(std::mem::take(&mut self.name));
        }
    }
}

fn finished_names() -> std::sync::MutexGuard<'static, Vec<String>> {
    FINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
