//! The broker's URL.

use std::fmt;
use std::str::FromStr;

use lapin::uri::{AMQPScheme, AMQPUri};
use service::{Env, Setting};

/// Seconds between heartbeats unless the URL says otherwise. lapin checks every half interval whether the
/// last sign of life is older than two: a silent peer is noticed within 10 seconds.
const HEARTBEAT_SECONDS: u16 = 4;
/// Largest frame in bytes, unless the URL says otherwise. lapin reserves 64 frames per connection, and
/// RabbitMQ's own proposal of 128 KiB would make that 8 MiB. A message's properties must fit into one
/// frame; bodies are split.
const FRAME_MAX_BYTES: u32 = 64 * 1024;

const URL: Setting = Setting {
    name: "AMQP_SERVER_URL",
    unit: "amqp:// or amqps:// URL",
    help: "The broker, with user, password and virtual host (%2f is the default one).",
};
/// The broker's URL. The password is in neither Debug nor Display.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(AMQPUri);

impl FromStr for AmqpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<AmqpUrl, String> {
        let mut uri = AMQPUri::from_str(text)
            .map_err(|_| "a URL such as amqp://user:password@localhost:5672/%2f".to_owned())?;
        // Without TLS compiled in, the client would send its password unencrypted.
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "tls") {
            return Err(
                "an amqp:// URL: this program was built without its feature `tls`".to_owned()
            );
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.frame_max.get_or_insert(FRAME_MAX_BYTES);
        Ok(AmqpUrl(uri))
    }
}

impl AmqpUrl {
    pub(crate) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }

    /// The same broker with frames as large as it allows, for messages whose properties do not fit into
    /// ours.
    pub(crate) fn with_the_largest_frames(&self) -> AmqpUrl {
        let mut uri = self.uri();
        uri.query.frame_max = Some(0);
        AmqpUrl(uri)
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        let vhost = vhost.replace('/', "%2f");
        write!(f, "{scheme}://{}:{}/{vhost}", authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URL that cannot be read is noted in `env` without being repeated: it may hold a password.
pub(crate) fn read_url(env: &mut Env) -> AmqpUrl {
    let development = "amqp://guest:guest@localhost:5672/%2f";
    let text = env.secret(&URL, development);
    text.reveal().parse().unwrap_or_else(|right| {
        env.refuse(format!("{}=(hidden): must be {right}", URL.name));
        AmqpUrl(AMQPUri::default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_never_shows_its_password() {
        let url: AmqpUrl = "amqp://user:hunter2@host:1234/shop".parse().unwrap();
        assert_eq!(format!("{url} {url:?}"), "amqp://host:1234/shop amqp://host:1234/shop");
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn an_encrypted_connection_is_not_silently_made_in_clear() {
        assert!("amqps://user:hunter2@host/%2f".parse::<AmqpUrl>().is_err());
    }
}
