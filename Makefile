.PHONY: help run test check check-dashboards audit crash-points model chaos chaos-sabotage fuzz fuzz-api bench bench-quick

help: ## list of all targets
	@sed -n 's/^\([a-z-]*\): *##/make \1\t/p' $(MAKEFILE_LIST)

run: ## start everything on this machine: private servers, both services, a demo order; Ctrl-C stops everything
	@scripts/install && $(BUILD_LOCAL) && exec "$${CARGO_TARGET_DIR:-target}/demo/ordermill-local"

test: ## run every test, on servers that the tests start
	@scripts/install for-tests && scripts/test

check: ## check format, lints and documentation
	@cargo fmt --check && cargo clippy --workspace --all-targets --locked -- -D warnings && RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked

check-dashboards: ## compare the dashboards with Grafana's schema; needs Python 3.11 and PyPI
	@test -x target/grafana/bin/python || python3 -m venv target/grafana
	@target/grafana/bin/pip install --quiet grafana-foundation-sdk==1769699241 && target/grafana/bin/python scripts/check-dashboards

audit: ## check dependencies: unused ones (cargo-machete) and known vulnerabilities (cargo-audit), with the tools that are installed
	@for tool in machete audit; do \
	  if command -v "cargo-$$tool" >/dev/null; then cargo "$$tool" || exit 1; \
	  else echo "cargo install cargo-$$tool --locked"; fi; done

bench: ## measure the release binaries on this machine, beside bare PostgreSQL and RabbitMQ; PARTS="growth" selects parts
	@$(BUILD_BENCH) && exec $(RUN_BENCH) $(PARTS)

bench-quick: ## the short parts of the benchmark, in two to three minutes
	@$(BUILD_BENCH) && exec $(RUN_BENCH) quick

crash-points: ## test every pair of steps at which a process can die; `make test` covers every seventh pair
	@scripts/install && cargo build --workspace --bins --locked && CRASH_PAIRS=all cargo test --workspace --test journeys --locked crash_points -- --nocapture

model: ## check the model of the order pipeline: every state up to some faults, then every deliberate break
	@cargo run --quiet --locked --package model --bin ordermill-model

chaos: ## inject faults under load on a schedule drawn from SEED (7) for MINUTES (10), then check every promise
	@scripts/install && $(BUILD_RELEASE) --package chaos && exec "$${CARGO_TARGET_DIR:-target}/release/ordermill-chaos" --seed=$(or $(SEED),7) --minutes=$(or $(MINUTES),10) $(CHAOS)

chaos-sabotage: ## build the services wrong in one way after the other; the campaign must catch each one
	@scripts/install && cargo build --workspace --bins --locked && exec "$${CARGO_TARGET_DIR:-target}/debug/ordermill-chaos" --sabotage=$(NAME)

fuzz: ## search for bytes that break a decoder, with libFuzzer; MINUTES=5 for each target, 1 otherwise
	@scripts/fuzz $(or $(MINUTES),1) $(TARGETS)

fuzz-api: ## send thousands of valid and invalid requests, generated from the OpenAPI document; SECONDS=600 SEED=2
	@scripts/install && scripts/fuzz-api $(or $(SECONDS),120) $(or $(SEED),1)

# Only what is started: neither of them builds the other test tools.
BUILD_LOCAL = cargo build --locked --profile demo --package order-management --package payment-processor \
  --package auditor --package testkit \
  --bin order-management --bin payment-processor --bin auditor --bin ordermill-local
BUILD_RELEASE = cargo build --locked --release --bins --package order-management --package payment-processor \
  --package auditor --package log-collector
BUILD_BENCH = scripts/install wrk && $(BUILD_RELEASE) --package bench
RUN_BENCH = "$${CARGO_TARGET_DIR:-target}/release/ordermill-bench"
