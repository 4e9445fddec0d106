# The commands of the project; `make` lists them.

# Tests share the machine with the servers they start: more threads than this only wait for each other.
TEST_THREADS ?= 8
# Tests of whole processes hold deadlines, such as a start within ten seconds, which are not promised to a machine that runs
# seven other tests at the same moment: they come after the others.
WITH_DEADLINES = process:: stock_outages:: stopping:: overload::

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

mongod: ## Obtain a mongod if there is none
	@scripts/install-mongod

mongod-unless-configured:
	@scripts/install-mongod --unless-configured

run: mongod-unless-configured ## Serve http://localhost:8000 (Swagger UI at /docs) on a private mongod
	cargo run --locked -- serve

seed: mongod-unless-configured ## Fill an empty catalogue with sample parts, beside a running server too
	cargo run --locked -- seed

test: mongod ## Run every test but the slow ones
	cargo test --locked -- --test-threads=$(TEST_THREADS) $(addprefix --skip ,$(WITH_DEADLINES))
	cargo test --locked --test it -- --test-threads=2 $(WITH_DEADLINES)

test-slow: mongod ## Run the slow tests: long races
	cargo test --locked -- --test-threads=$(TEST_THREADS) --ignored

check: ## Format, lint and describe as continuous integration asks for it
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo run --locked --quiet -- openapi | diff -u openapi/openapi.json - >/dev/null || (echo "openapi/openapi.json is stale: run make openapi"; exit 1)

deny: ## Check licences, sources and advisories of the dependencies (needs cargo-deny and the network)
	cargo deny check

openapi: ## Write the description of the API anew
	cargo run --locked --quiet -- openapi > openapi/openapi.json

bench: mongod ## Measure the optimised server next to bare floors (needs wrk: scripts/install-wrk)
	@scripts/install-wrk
	cargo bench --locked --bench http

release: ## Build the optimised binary
	cargo build --locked --release

.PHONY: help mongod mongod-unless-configured run seed test test-slow check deny openapi bench release
