//! A database and a virtual host for one test, on servers it shares or owns.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::postgres::Postgres;
use crate::rabbitmq::RabbitMq;
use crate::servers::{self, Servers};

/// What finished tests left on the shared servers. The next one clears it away, so that a hundred
/// tests later the node does not look after a thousand queues.
static FINISHED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Debug)]
enum Home {
    Shared(&'static Servers),
    Private(Box<Servers>),
}

/// An empty database and an empty virtual host of the same name.
#[derive(Debug)]
pub struct Tenancy {
    home: Home,
    name: String,
}

impl Tenancy {
    /// On the servers that all tests of this binary share.
    pub async fn on_shared_servers() -> Result<Tenancy> {
        let servers = servers::shared().await;
        let finished = std::mem::take(&mut *finished_names());
        for name in finished {
            servers.postgres.drop_database(&name).await?;
            servers.rabbitmq.delete_vhost(&name).await?;
        }
        Tenancy::begin(Home::Shared(servers)).await
    }

    /// On servers of its own, which the test may break.
    pub async fn on_private_servers() -> Result<Tenancy> {
        Tenancy::begin(Home::Private(Box::new(servers::private().await))).await
    }

    async fn begin(home: Home) -> Result<Tenancy> {
        let tenancy = Tenancy { home, name: servers::fresh_name() };
        tenancy.postgres().create_database(&tenancy.name).await?;
        tenancy.rabbitmq().create_vhost(&tenancy.name).await?;
        Ok(tenancy)
    }

    /// The store.
    pub fn postgres(&self) -> &Postgres {
        &self.servers().postgres
    }

    /// The queue.
    pub fn rabbitmq(&self) -> &RabbitMq {
        &self.servers().rabbitmq
    }

    /// The name of the database and of the virtual host.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The servers, if it owns them.
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

impl Drop for Tenancy {
    fn drop(&mut self) {
        if let Home::Shared(_) = self.home {
            finished_names().push(std::mem::take(&mut self.name));
        }
    }
}

fn finished_names() -> std::sync::MutexGuard<'static, Vec<String>> {
    FINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
