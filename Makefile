.PHONY: help run test check check-dashboards audit crash-points model chaos chaos-sabotage fuzz fuzz-api bench bench-quick

help: ## what can be made here
	@sed -n 's/^\([a-z-]*\): *##/make \1\t/p' $(MAKEFILE_LIST)

run: ## everything on this machine: own servers, both services, a demo order; Ctrl-C stops it all
	@scripts/install && cargo build --release --workspace --bins --locked && exec "$${CARGO_TARGET_DIR:-target}/release/ordermill-local"

test: ## every test, on servers of the tests' own
	@scripts/install for-tests && cargo build --workspace --bins --locked && cargo test --workspace --lib --bins --tests --locked

check: ## format, lints, documentation
	@cargo fmt --check && cargo clippy --workspace --all-targets --locked -- -D warnings && RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked

check-dashboards: ## the dashboards against Grafana's schema; needs Python 3.11 and PyPI
	@test -x target/grafana/bin/python || python3 -m venv target/grafana
	@target/grafana/bin/pip install --quiet grafana-foundation-sdk==1769699241 && target/grafana/bin/python scripts/check-dashboards

audit: ## dependencies: unused ones (cargo-machete) and known holes (cargo-audit), with what is installed of the two
	@for tool in machete audit; do \
	  if command -v "cargo-$$tool" >/dev/null; then cargo "$$tool" || exit 1; \
	  else echo "cargo install cargo-$$tool --locked"; fi; done

bench: ## what the release binaries do on this machine, beside bare PostgreSQL and RabbitMQ; PARTS="growth" chooses
	@$(BUILD_BENCH) && exec $(RUN_BENCH) $(PARTS)

bench-quick: ## the same without what takes long, in two to three minutes
	@$(BUILD_BENCH) && exec $(RUN_BENCH) quick

crash-points: ## every pair of steps at which a process can die; `make test` has every seventh
	@scripts/install && cargo build --workspace --bins --locked && CRASH_PAIRS=all cargo test --workspace --test journeys --locked crash_points -- --nocapture

model: ## the road as a model: every state there can be up to some faults, then everything broken on purpose
	@cargo run --quiet --locked --package model --bin ordermill-model

chaos: ## everything is broken under load on a schedule drawn from SEED (7) for MINUTES (10); then every promise is checked
	@scripts/install && cargo build --release --workspace --bins --locked && exec "$${CARGO_TARGET_DIR:-target}/release/ordermill-chaos" --seed=$(or $(SEED),7) --minutes=$(or $(MINUTES),10) $(CHAOS)

chaos-sabotage: ## builds the services wrong in one way after the other, and sees the campaign catch each
	@scripts/install && cargo build --workspace --bins --locked && exec "$${CARGO_TARGET_DIR:-target}/debug/ordermill-chaos" --sabotage=$(NAME)

fuzz: ## whatever bytes break a decoder, with libFuzzer; MINUTES=5 for each target, 1 otherwise
	@scripts/fuzz $(or $(MINUTES),1) $(TARGETS)

fuzz-api: ## thousands of requests made from the OpenAPI document, right and wrong; SECONDS=600 SEED=2
	@scripts/install && scripts/fuzz-api $(or $(SECONDS),120) $(or $(SEED),1)

BUILD_BENCH = scripts/install wrk && cargo build --release --workspace --bins --locked
RUN_BENCH = "$${CARGO_TARGET_DIR:-target}/release/ordermill-bench"
