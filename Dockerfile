# Images of all programs: `--target order-management`, `payment-processor`, `auditor` or `log-collector`.
ARG RUST_IMAGE=rust:1.95.0-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-20260824-slim

# Compiles every dependency. Empty sources replace the project's own, so that this layer is rebuilt only
# when a manifest or the lock file changes.
FROM ${RUST_IMAGE} AS dependencies
WORKDIR /src
ENV CARGO_INCREMENTAL=0 \
    SERVICES="--package order-management --package payment-processor --package auditor --package log-collector --features order-management/tls,payment-processor/tls,log-collector/tls"
COPY Cargo.toml Cargo.lock ./
COPY auditor/Cargo.toml auditor/
COPY common/Cargo.toml common/
COPY db/Cargo.toml db/
COPY log-collector/Cargo.toml log-collector/
COPY order-management/Cargo.toml order-management/
COPY payment-processor/Cargo.toml payment-processor/
COPY properties/Cargo.toml properties/
COPY testkit/Cargo.toml testkit/
COPY model/Cargo.toml model/
RUN set -eu; \
    for crate in auditor common db log-collector order-management payment-processor testkit model properties; do \
        mkdir -p "$crate/src"; \
        : > "$crate/src/lib.rs"; \
        echo 'fn main() {}' > "$crate/src/main.rs"; \
        # targets that a manifest names by their path must exist as well
        for target in $(sed -n 's/^path *= *"\(.*\.rs\)"$/\1/p' "$crate/Cargo.toml"); do \
            mkdir -p "$crate/$(dirname "$target")"; \
            echo 'fn main() {}' > "$crate/$target"; \
        done; \
    done; \
    cargo build --release --locked $SERVICES; \
    # otherwise the artifacts of the empty sources would count as newer than the real sources
    cargo clean --release --locked \
        --package auditor --package common --package db --package log-collector \
        --package order-management --package payment-processor; \
    rm -rf auditor/src common/src db/src log-collector/src order-management/src payment-processor/src

FROM dependencies AS build
COPY auditor auditor
COPY common common
COPY db db
COPY log-collector log-collector
COPY order-management order-management
COPY payment-processor payment-processor
RUN cargo build --release --locked --offline $SERVICES

FROM ${RUNTIME_IMAGE} AS runtime
# amqps:// verifies the broker's certificate with these
COPY --from=dependencies /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV BIND_ADDRESS=0.0.0.0
# a number, so that a container engine can verify that the user is not root
USER 10001:10001
STOPSIGNAL SIGTERM

FROM runtime AS order-management
COPY --from=build /src/target/release/order-management /usr/local/bin/
EXPOSE 3000 9100
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
