//! The broker's management API: what AMQP has no question for.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use service::{Env, Secret, Setting};
use url::Url;

use crate::url::BrokerUrls;

const URL: Setting = Setting {
    name: "RABBITMQ_MANAGEMENT_URL",
    unit: "http:// URL",
    help: "The broker's management API, with user and password if they are not those of \
           AMQP_SERVER_URL; by default port 15672 of the same host. Unacked messages and policies \
           are read there; the process works without it.",
};
/// Port of the API, unless the setting says otherwise.
const PORT: u16 = 15_672;
/// Time for one answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Keys of a policy that change what happens to the messages of a queue.
const HARMFUL: [&str; 6] =
    ["message-ttl", "max-length", "max-length-bytes", "expires", "overflow", "delivery-limit"];

/// Address and user of the API; without an address the broker's.
#[derive(Clone, Debug)]
pub struct ManagementSettings {
    address: Option<Url>,
    user: Option<(String, Secret)>,
    brokers: BrokerUrls,
}

/// A client of the API.
#[derive(Clone, Debug)]
pub struct Management {
    http: Client,
    settings: ManagementSettings,
}

/// A queue as the API describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFacts {
    /// Number of messages that were delivered and are not acked.
    pub unacked: u64,
    /// Name of the policy in force, if any.
    pub policy: Option<String>,
    /// The definitions among those in force that change what happens to messages, such as
    /// `message-ttl=60000`.
    pub overrides: Vec<String>,
}

/// The reason why the API gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// There is no address to ask, or it is no URL.
    #[error("the management API has no address")]
    NoAddress,
    /// The API is not reachable or did not answer in time.
    #[error("the management API does not answer: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// The API refused, for example because the user lacks the tag `monitoring` or `management`.
    #[error("the management API answered {0}")]
    Refused(StatusCode),
    /// The answer is not what RabbitMQ answers.
    #[error("the management API answered something unexpected")]
    Unexpected,
}

impl ManagementSettings {
    /// Reads them; without a value they are those of `brokers`.
    pub(crate) fn read(env: &mut Env, brokers: &BrokerUrls) -> ManagementSettings {
        let given = env.secret(&URL, "");
        let mut settings =
            ManagementSettings { address: None, user: None, brokers: brokers.clone() };
        if given.reveal().is_empty() {
            return settings;
        }
        match Url::parse(given.reveal()) {
            Ok(mut url) if url.scheme() == "http" && url.has_host() => {
                let password = Secret::new(decoded(url.password().unwrap_or_default()));
                let user = Some(decoded(url.username())).filter(|user| !user.is_empty());
                settings.user = user.map(|user| (user, password));
                // A URL with a host takes both.
                url.set_username("").and_then(|()| url.set_password(None)).ok();
                settings.address = Some(url);
            }
            Ok(_) | Err(_) => {
                env.refuse(format!(
                    "{}=(hidden): must be a URL such as http://localhost:15672",
                    URL.name
                ));
            }
        }
        settings
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

impl Management {
    /// A client that connects when it is first asked.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub fn open(settings: &ManagementSettings) -> Result<Management, ManagementError> {
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build();
        let http = client.map_err(|error| ManagementError::Unreachable(error.without_url()))?;
        Ok(Management { http, settings: settings.clone() })
    }

    /// The facts about a queue; `None` if there is no such queue.
    ///
    /// # Errors
    /// If the API does not answer as RabbitMQ does.
    pub async fn queue(&self, name: &str) -> Result<Option<QueueFacts>, ManagementError> {
        let place = self.settings.brokers.place();
        let broker = place.url().ok_or(ManagementError::NoAddress)?.uri();
        let host = match broker.authority.host.contains(':') {
            true => format!("[{}]", broker.authority.host),
            false => broker.authority.host.clone(),
        };
        let default = || Url::parse(&format!("http://{host}:{PORT}")).ok();
        let address = self.settings.address.clone().or_else(default);
        let mut url = address.ok_or(ManagementError::NoAddress)?;
        url.path_segments_mut().map_err(|()| ManagementError::NoAddress)?.pop_if_empty().extend([
            "api",
            "queues",
            &broker.vhost,
            name,
        ]);
        let own = (broker.authority.userinfo.username, broker.authority.userinfo.password);
        let (user, password) = match &self.settings.user {
            Some((user, password)) => (user.clone(), password.reveal().to_owned()),
            None => own,
        };
        let away = |error: reqwest::Error| ManagementError::Unreachable(error.without_url());
        let asked = self.http.get(url).basic_auth(user, Some(password));
        let mut answer = asked.send().await.map_err(away)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(ManagementError::Refused(status)),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(away)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(ManagementError::Unexpected);
            }
        }
        facts(&body).map(Some).ok_or(ManagementError::Unexpected)
    }
}

fn facts(body: &[u8]) -> Option<QueueFacts> {
    let queue: Value = serde_json::from_slice(body).ok()?;
    queue.get("name")?;
    let definition = queue.get("effective_policy_definition").and_then(Value::as_object);
    let overrides = definition.into_iter().flatten();
    let overrides = overrides.filter(|(key, _)| HARMFUL.contains(&key.as_str()));
    let policy = queue.get("policy").filter(|name| !name.is_null());
    let policy = policy.or(queue.get("operator_policy")).and_then(Value::as_str);
    Some(QueueFacts {
        // Missing in the first seconds of a queue.
        unacked: queue.get("messages_unacknowledged").and_then(Value::as_u64).unwrap_or(0),
        policy: policy.filter(|name| !name.is_empty()).map(str::to_owned),
        overrides: overrides.map(|(key, value)| format!("{key}={value}")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_about_a_queue_are_read() {
        let body =
            br#"{"name":"q","messages_unacknowledged":7,"policy":"all","operator_policy":null,
            "effective_policy_definition":{"max-length":10,"queue-leader-locator":"balanced"}}"#;
        let overrides = vec!["max-length=10".to_owned()];
        let wanted = QueueFacts { unacked: 7, policy: Some("all".to_owned()), overrides };
        assert_eq!(facts(body), Some(wanted));
        let young = br#"{"name":"q","policy":"","effective_policy_definition":[]}"#;
        assert_eq!(facts(young), Some(QueueFacts::default()));
        assert_eq!(facts(b"{}"), None);
        assert_eq!(facts(b"<html>"), None);
    }

    #[test]
    fn a_wrong_address_is_refused_without_being_repeated() {
        for wrong in ["hunter2", "https://user:hunter2@host", "amqp://user:hunter2@host"] {
            let mut env = Env::of([("RABBITMQ_MANAGEMENT_URL".to_owned(), wrong.to_owned())]);
            let brokers: BrokerUrls = "amqp://host".parse().unwrap();
            ManagementSettings::read(&mut env, &brokers);
            let message = env.finish().unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
