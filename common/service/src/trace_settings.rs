use reqwest::Url;
use telemetry::trace::{TraceExporter, TraceSettings};

use crate::env::{Env, Setting};

/// The names are OpenTelemetry's
/// (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
const EXPORTER: Setting = Setting {
    name: "OTEL_TRACES_EXPORTER",
    unit: "none, otlp or zipkin",
    help: "Exporter of spans; none records nothing.",
};
const OTLP: Setting = Setting {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    unit: "http:// URL",
    help: "Collector that accepts OTLP over HTTP (protobuf), such as Jaeger; /v1/traces is added to \
           the URL.",
};
const ZIPKIN: Setting = Setting {
    name: "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
    unit: "http:// URL",
    help: "Collector that accepts Zipkin's JSON, version 2.",
};
const RATIO: Setting = Setting {
    name: "OTEL_TRACES_SAMPLER_ARG",
    unit: "share from 0 to 1",
    help: "Share of the requests without a traceparent that are recorded. A request with a \
           traceparent is recorded if the traceparent says so.",
};

/// Reads the exporter of spans and the share of requests that are recorded. The collector that is not
/// used, and all but the exporter where none is, may have any value: other programs of the same
/// environment read these variables too.
pub fn read_trace_settings(env: &mut Env) -> TraceSettings {
    let kind = env.parsed(EXPORTER.with_default(Kind::None, "none"), |text| match text {
        "none" => Ok(Kind::None),
        "otlp" => Ok(Kind::Otlp),
        "zipkin" => Ok(Kind::Zipkin),
        _ => Err("none, otlp or zipkin".to_owned()),
    });
    let otlp = env.read_if(kind == Kind::Otlp, |env| endpoint(env, &OTLP, "http://localhost:4318"));
    let zipkin = env.read_if(kind == Kind::Zipkin, |env| {
        endpoint(env, &ZIPKIN, "http://localhost:9411/api/v2/spans")
    });
    let ratio = env.read_if(kind != Kind::None, |env| {
        env.parsed(RATIO.with_default(0.01, "0.01"), |text| {
            let ratio: Option<f64> = text.parse().ok();
            ratio.filter(|r| (0.0..=1.0).contains(r)).ok_or("a number from 0 to 1".to_owned())
        })
    });
    let exporter = match kind {
        Kind::None => TraceExporter::None,
        Kind::Otlp => TraceExporter::Otlp(format!("{}/v1/traces", otlp.trim_end_matches('/'))),
        Kind::Zipkin => TraceExporter::Zipkin(zipkin),
    };
    TraceSettings { exporter, ratio }
}

/// The value of [`EXPORTER`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Otlp,
    Zipkin,
}

/// Reads a collector's URL. Only `http://` is accepted: the collector runs on the same machine or
/// in the same network, and speaks TLS from there if necessary. A URL with a password is refused
/// and not repeated in the error: the password would travel unencrypted, and libraries log the URL.
fn endpoint(env: &mut Env, setting: &Setting, default: &str) -> String {
    let text = env.text(setting, default);
    if is_endpoint(&text) {
        return text;
    }
    let right = "an http:// URL without user and password";
    env.refuse(format!("{}=(hidden): must be {right}", setting.name));
    default.to_owned()
}

fn is_endpoint(text: &str) -> bool {
    text.parse::<Url>().is_ok_and(|url| {
        let open = url.username().is_empty() && url.password().is_none();
        url.scheme() == "http" && url.has_host() && open
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<TraceSettings, String> {
        let mut env = Env::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let settings = read_trace_settings(&mut env);
        env.finish().map(|()| settings).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn no_span_is_recorded_by_default() {
        assert_eq!(read(&[]).unwrap().exporter, TraceExporter::None);
        let otlp = [(EXPORTER.name, "otlp"), (OTLP.name, "http://jaeger:4318/")];
        let wanted = TraceExporter::Otlp("http://jaeger:4318/v1/traces".to_owned());
        assert_eq!(read(&otlp).unwrap().exporter, wanted);
    }

    #[test]
    fn an_invalid_setting_that_is_used_is_named() {
        for wrong in [
            (EXPORTER.name, "jaeger"),
            (OTLP.name, "https://collector"),
            (RATIO.name, "1.1"),
            (RATIO.name, "NaN"),
        ] {
            let settings = [(EXPORTER.name, "otlp"), wrong];
            assert!(read(&settings).unwrap_err().contains(wrong.0), "{wrong:?}");
        }
    }

    #[test]
    fn an_invalid_setting_that_is_not_used_does_not_matter() {
        for unused in [
            (OTLP.name, "https://collector"),
            (ZIPKIN.name, "collector"),
            (RATIO.name, "endpoint=http://sampler,pollingIntervalMs=5000"),
        ] {
            assert_eq!(read(&[unused]).unwrap().exporter, TraceExporter::None, "{unused:?}");
        }
        read(&[(EXPORTER.name, "zipkin"), (OTLP.name, "https://collector")]).unwrap();
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for wrong in ["http://me:hunter2@collector", "https://me:hunter2@collector"] {
            let settings = [(EXPORTER.name, "zipkin"), (ZIPKIN.name, wrong)];
            let refusal = read(&settings).unwrap_err();
            assert!(refusal.contains(ZIPKIN.name) && !refusal.contains("hunter2"), "{refusal}");
        }
    }
}
