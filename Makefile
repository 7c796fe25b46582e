.PHONY: help run test check bench bench-quick fuzz fuzz-api

help: ## what can be made here
	@sed -n 's/^\([a-z-]*\): *##/make \1\t/p' $(MAKEFILE_LIST)

run: ## everything on this machine: own servers, both services, a demo order; Ctrl-C stops it all
	@scripts/install && cargo build --release --workspace --bins --locked && exec "$${CARGO_TARGET_DIR:-target}/release/ordermill-local"

test: ## every test, on servers of the tests' own
	@scripts/install && cargo build --workspace --bins --locked && cargo test --workspace --lib --bins --tests --locked

check: ## format, lints, documentation
	@cargo fmt --check && cargo clippy --workspace --all-targets --locked -- -D warnings && RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked

bench: ## what the release binaries do on this machine, beside bare PostgreSQL and RabbitMQ; PARTS="growth" chooses
	@$(BUILD_BENCH) && exec $(RUN_BENCH) $(PARTS)

bench-quick: ## the same without what takes long, in two to three minutes
	@$(BUILD_BENCH) && exec $(RUN_BENCH) quick

fuzz: ## whatever bytes break a decoder, with libFuzzer; MINUTES=5 for each target, 1 otherwise
	@scripts/fuzz $(or $(MINUTES),1) $(TARGETS)

fuzz-api: ## thousands of requests made from the OpenAPI document, right and wrong; SECONDS=600 SEED=2
	@scripts/install && scripts/fuzz-api $(or $(SECONDS),120) $(or $(SEED),1)

BUILD_BENCH = scripts/install wrk && cargo build --release --workspace --bins --locked
RUN_BENCH = "$${CARGO_TARGET_DIR:-target}/release/ordermill-bench"
