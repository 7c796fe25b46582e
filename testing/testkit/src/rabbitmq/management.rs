//! Requests to a node's management interface.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, RabbitMq, USER};

impl RabbitMq {
    /// Creates a virtual host in which [`USER`] has all permissions. Takes 10 ms; `rabbitmqctl`
    /// would take 300 ms and start an Erlang virtual machine. `name` is a plain word.
    pub async fn create_vhost(&self, name: &str) -> Result<()> {
        self.management(Method::PUT, &format!("vhosts/{name}"), None).await
    }

    /// Removes a virtual host with its queues.
    pub async fn delete_vhost(&self, name: &str) -> Result<()> {
        self.management(Method::DELETE, &format!("vhosts/{name}"), None).await
    }

    /// Creates a user with all permissions in one virtual host.
    pub async fn create_user(&self, vhost: &str, name: &str, password: &str) -> Result<()> {
        let user = json!({"password": password, "tags": ""});
        self.management(Method::PUT, &format!("users/{name}"), Some(user)).await?;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        self.management(Method::PUT, &format!("permissions/{vhost}/{name}"), Some(all)).await
    }

    pub(super) async fn management(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<()> {
        let url = format!("{}/api/{path}", self.management_url());
        let what = format!("{method} {url}");
        let request =
            crate::http_client::local().request(method, url).basic_auth(USER, Some(PASSWORD));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.context(what)?.error_for_status()?;
        Ok(())
    }
}
