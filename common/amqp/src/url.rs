//! The broker's URLs.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lapin::uri::{AMQPScheme, AMQPUri};
use rand::seq::SliceRandom as _;
use service::{Env, Setting};
use url::{Host, Url};

/// Seconds between heartbeats unless the URL says otherwise. lapin checks every half interval whether the
/// last sign of life is older than two: a silent peer is noticed within 10 seconds.
const HEARTBEAT_SECONDS: u16 = 4;
/// Largest frame in bytes, unless the URL says otherwise. lapin reserves 64 frames per connection, and
/// RabbitMQ's own proposal of 128 KiB would make that 8 MiB. A message's properties must fit into one
/// frame; bodies are split.
const FRAME_MAX_BYTES: u32 = 64 * 1024;
/// Text of a refused URL. It repeats nothing of the URL: any part of it may be a password.
const FORM: &str = "a URL such as amqp://user:password@localhost:5672/%2f, or several separated by \
                    commas; characters such as , / ? # @ in user, password or virtual host are \
                    percent-encoded (%2c %2f %3f %23 %40)";

const URL: Setting = Setting {
    name: "AMQP_SERVER_URL",
    unit: "amqp:// or amqps:// URLs, separated by commas",
    help: "The brokers of one cluster, with user, password and virtual host (%2f is the default \
           one). A process starts with any of them and takes the next one at each fault.",
};

/// One URL of a broker. The password is in neither Debug nor Display.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl(AMQPUri);

impl FromStr for AmqpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<AmqpUrl, String> {
        let (mut uri, url) = AMQPUri::from_str(text)
            .ok()
            .zip(Url::parse(text).ok())
            .filter(|(_, url)| is_plain(url))
            .ok_or_else(|| FORM.to_owned())?;
        // Without TLS compiled in, the client would send its password unencrypted.
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "tls") {
            return Err(
                "an amqp:// URL: this program was built without its feature `tls`".to_owned()
            );
        }
        // AMQPUri takes an address in brackets for no host, which means localhost.
        match url.host() {
            Some(Host::Ipv6(address)) => uri.authority.host = address.to_string(),
            Some(Host::Ipv4(address)) => uri.authority.host = address.to_string(),
            Some(Host::Domain(_)) | None => {}
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.frame_max.get_or_insert(FRAME_MAX_BYTES);
        Ok(AmqpUrl(uri))
    }
}

/// Returns `false` if a part of the URL may be a part of a password or of another URL, because a
/// character in it was not percent-encoded: it would be shown as host or virtual host.
fn is_plain(url: &Url) -> bool {
    let vhost = url.path().strip_prefix('/').unwrap_or(url.path());
    let odd = |part: &str| part.contains(['@', '/', ';', ' ', '|', '\\']) || part.contains("%20");
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    !odd(vhost)
        && !odd(host)
        && !url.query().is_some_and(|query| query.contains('@') || !query.contains('='))
        && url.fragment().is_none()
}

impl AmqpUrl {
    pub(crate) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }

    fn with_the_largest_frames(&self) -> AmqpUrl {
        let mut uri = self.uri();
        uri.query.frame_max = Some(0);
        AmqpUrl(uri)
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        let vhost = vhost.replace('/', "%2f");
        match authority.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}/{vhost}", authority.host, authority.port),
            false => write!(f, "{scheme}://{}:{}/{vhost}", authority.host, authority.port),
        }
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URLs of a cluster's nodes, in an order of this process's own. Clones share the present one.
#[derive(Clone)]
pub struct BrokerUrls {
    urls: Arc<[AmqpUrl]>,
    present: Arc<AtomicUsize>,
}

/// The URL that a connection uses.
#[derive(Clone, Debug)]
pub struct BrokerPlace {
    urls: BrokerUrls,
    number: usize,
}

impl BrokerUrls {
    fn new(urls: impl Into<Arc<[AmqpUrl]>>) -> BrokerUrls {
        BrokerUrls { urls: urls.into(), present: Arc::default() }
    }

    /// The present place.
    pub(crate) fn place(&self) -> BrokerPlace {
        BrokerPlace { urls: self.clone(), number: self.present.load(Ordering::Relaxed) }
    }

    /// The same brokers with frames as large as they allow, for messages whose properties do not fit
    /// into ours.
    pub(crate) fn with_the_largest_frames(&self) -> BrokerUrls {
        let urls = self.urls.iter().map(AmqpUrl::with_the_largest_frames).collect();
        BrokerUrls { urls, present: self.present.clone() }
    }
}

impl FromStr for BrokerUrls {
    type Err = String;

    fn from_str(text: &str) -> Result<BrokerUrls, String> {
        let urls: Vec<AmqpUrl> =
            text.split(',').map(|url| url.trim().parse()).collect::<Result<_, _>>()?;
        Ok(BrokerUrls::new(urls))
    }
}

impl BrokerPlace {
    /// The URL.
    pub(crate) fn url(&self) -> Option<&AmqpUrl> {
        self.urls.urls.get(self.number % self.urls.urls.len().max(1))
    }

    /// Moves the process on to the next URL, unless another connection that used this one did.
    pub fn lost(&self) {
        let next = self.number.wrapping_add(1);
        let order = Ordering::Relaxed;
        // An error means that another connection moved on.
        self.urls.present.compare_exchange(self.number, next, order, order).ok();
    }
}

impl fmt::Display for BrokerUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().url().map_or(Ok(()), |url| fmt::Display::fmt(url, f))
    }
}

impl fmt::Debug for BrokerUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.urls.iter()).finish()
    }
}

/// A URL that cannot be read is noted in `env` without being repeated: it may hold a password.
pub(crate) fn read_urls(env: &mut Env) -> BrokerUrls {
    let development = "amqp://guest:guest@localhost:5672/%2f";
    let text = env.secret(&URL, development);
    let urls = text.reveal().parse::<BrokerUrls>().unwrap_or_else(|right| {
        env.refuse(format!("{}=(hidden): must be {right}", URL.name));
        BrokerUrls::new([AmqpUrl(AMQPUri::default())])
    });
    let mut shuffled = urls.urls.to_vec();
    shuffled.shuffle(&mut rand::rng());
    BrokerUrls::new(shuffled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match text.parse::<BrokerUrls>() {
            Ok(urls) => format!("{urls} {urls:?}"),
            Err(why) => why,
        }
    }

    #[test]
    fn a_url_never_shows_its_password() {
        assert_eq!(
            shown("amqp://user:hunter2@host:1234/shop"),
            "amqp://host:1234/shop [amqp://host:1234/shop]"
        );
        for odd in [
            "amqp://user:hunter2@host/%2f,amqp://user:hunter2@other/%2f",
            "amqp://user:hunter2@host/%2f, amqp://user:hunter2@other/%2f",
            "amqp://user:hunter2@host/%2f;amqp://user:hunter2@other/%2f",
            "amqp://user:hunter2@host/%2f amqp://user:hunter2@other/%2f",
            "amqp://user:hunter2@host/%2f|hunter2",
            "amqp://host/%2f?password=hunter2",
            "amqp://host/%2f?hunter2@x=1",
            "amqp://host/%2f#hunter2",
            "amqp://user:hun,ter2@host/%2f",
            "amqp://user:1/hunter2@host/%2f",
            "amqp://user:1/hunter2@host",
            "amqp://user:1?hunter2@host/%2f",
            "amqp://user:1?hunter2",
            "amqp://user:1#hunter2@host/%2f",
            "amqp://user:1\\hunter2@host/%2f",
            "amqp://hunter2@",
            "amqp:user:hunter2@host",
            "user:hunter2@host",
            "http://user:hunter2@host/",
            "amqps://user:hunter2@[::1/",
            "amqp://user:p@hunter2@host/%2f",
        ] {
            let text = shown(odd);
            assert!(!text.contains("hunter2") && !text.contains("ter2"), "{odd}: {text}");
        }
    }

    #[test]
    fn an_address_in_brackets_is_the_host() {
        let url: AmqpUrl = "amqp://guest:guest@[2001:db8::1]:5673/%2f".parse().unwrap();
        assert_eq!(url.uri().authority.host, "2001:db8::1");
        assert_eq!(url.to_string(), "amqp://[2001:db8::1]:5673/%2f");
        let url: AmqpUrl = "amqp://guest:guest@127.0.0.1/%2f".parse().unwrap();
        assert_eq!(url.to_string(), "amqp://127.0.0.1:5672/%2f");
    }

    #[test]
    fn every_element_has_to_be_a_url() {
        for wrong in ["", ",", "amqp://a/%2f,", "amqp://a,b", "amqp://a/%2f,hunter2@b"] {
            assert!(wrong.parse::<BrokerUrls>().is_err(), "{wrong:?}");
        }
        assert_eq!("amqp://a/%2f , amqp://b/%2f".parse::<BrokerUrls>().unwrap().urls.len(), 2);
    }

    #[test]
    fn connections_that_lose_one_broker_together_move_on_once() {
        let urls: BrokerUrls = "amqp://a/%2f,amqp://b/%2f".parse().unwrap();
        let (one, other) = (urls.place(), urls.clone().place());
        one.lost();
        other.lost();
        assert_eq!(urls.to_string(), "amqp://b:5672/%2f");
        urls.place().lost();
        assert_eq!(urls.to_string(), "amqp://a:5672/%2f");
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn an_encrypted_connection_is_not_silently_made_in_clear() {
        assert!("amqps://user:hunter2@host/%2f".parse::<AmqpUrl>().is_err());
    }
}
