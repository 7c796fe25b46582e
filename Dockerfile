# Images of all programs: `--target order-management`, `payment-processor`, `auditor` or `log-collector`.
ARG RUST_IMAGE=rust:1.95.0-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-20260824-slim

# The manifests, and an empty source for each program and library: what decides the dependencies. Its
# files, and with them the layers of the next stage, change only with a manifest or the lock file.
FROM ${RUST_IMAGE} AS skeleton
WORKDIR /src
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -name lib.rs ! -name main.rs ! -path '*/src/bin/*' -delete; \
    find . -name lib.rs -exec truncate --size=0 {} +; \
    find . -name '*.rs' ! -name lib.rs -exec sh -c 'for file; do echo "fn main() {}" > "$file"; done' - {} +; \
    find . -type d -empty -delete

# Compiles every dependency.
FROM ${RUST_IMAGE} AS dependencies
WORKDIR /src
ENV CARGO_INCREMENTAL=0 \
    PROGRAMS="--package order-management --package payment-processor --package auditor --package log-collector --features order-management/tls,payment-processor/tls,log-collector/tls"
COPY --from=skeleton /src .
RUN cargo build --release --locked $PROGRAMS

FROM dependencies AS build
COPY . .
# cargo compares times: what was compiled from the empty sources must be older than the real ones
RUN find . -name '*.rs' -exec touch {} + && cargo build --release --locked --offline $PROGRAMS

FROM ${RUNTIME_IMAGE} AS runtime
# amqps:// verifies the broker's certificate with these
COPY --from=dependencies /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# `::` accepts IPv4 and IPv6. The ports of a container are reached from other machines only where they
# are published, and from the containers of its network: probes and Prometheus ask the ops port.
ENV BIND_ADDRESS=:: \
    OPS_BIND_ADDRESS=::
# a number, so that a container engine can verify that the user is not root
USER 10001:10001
STOPSIGNAL SIGTERM

FROM runtime AS order-management
COPY --from=build /src/target/release/order-management /usr/local/bin/
EXPOSE 3000 9100
# About the process, not about the servers it needs: a restart would bring none of them back.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["order-management", "healthcheck"]
ENTRYPOINT ["order-management"]

FROM runtime AS payment-processor
COPY --from=build /src/target/release/payment-processor /usr/local/bin/
EXPOSE 9101
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["payment-processor", "healthcheck"]
ENTRYPOINT ["payment-processor"]

FROM runtime AS auditor
COPY --from=build /src/target/release/auditor /usr/local/bin/
EXPOSE 9102
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["auditor", "healthcheck"]
ENTRYPOINT ["auditor"]

FROM runtime AS log-collector
COPY --from=build /src/target/release/log-collector /usr/local/bin/
EXPOSE 9103
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["log-collector", "healthcheck"]
ENTRYPOINT ["log-collector"]
