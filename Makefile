# The commands of the project. `make` lists them.

# Tests share the machine with the servers that they start. More threads than this would only wait for each other.
TEST_THREADS ?= 8
# Tests of whole processes have deadlines, such as a start within ten seconds. A machine that runs seven other tests at
# the same time may miss them, so these tests run after the others.
WITH_DEADLINES = process:: stock_outages:: stopping:: overload::
# A test whose snapshot differs fails and writes no file. tests/it/support/stable.rs tells how to change a snapshot.
export INSTA_UPDATE ?= no

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

mongod: ## Install mongod if it is missing
	@scripts/install-mongod

mongod-unless-configured:
	@scripts/install-mongod --unless-configured

run: mongod-unless-configured ## Serve http://localhost:8000 (Swagger UI at /docs) with a private mongod
	cargo run --locked -- serve

seed: mongod-unless-configured ## Fill an empty catalogue with sample parts (the server may be running)
	cargo run --locked -- seed

test: mongod ## Run all tests except the slow ones
	cargo test --locked -- --test-threads=$(TEST_THREADS) $(addprefix --skip ,$(WITH_DEADLINES))
	cargo test --locked --test it -- --test-threads=2 $(WITH_DEADLINES)

test-slow: mongod ## Run the slow tests, such as long races
	cargo test --locked -- --test-threads=$(TEST_THREADS) --ignored

check: spelling ## Check formatting, spelling, lints, documentation and the description of the API, as CI does
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --quiet
	cargo run --locked --quiet -- openapi | diff -u openapi/openapi.json - >/dev/null || (echo "openapi/openapi.json is stale: run make openapi"; exit 1)

spelling: ## Check the spelling of code and texts
	@$$(scripts/install-typos)

deny: ## Check licences, sources and advisories of the dependencies (needs cargo-deny and the network)
	cargo deny check

openapi: ## Write the description of the API to openapi/openapi.json
	cargo run --locked --quiet -- openapi > target/openapi.json
	mv target/openapi.json openapi/openapi.json

openapi-base: ## Take the description of the API as the one of a release, which later ones must not break
	python3 tests/clients/compatible.py openapi/openapi.json --base

fast: ## Build the optimised binary that `make clients` and `make fuzz` test
	cargo build --locked --profile fast

clients: ## Lint the description of the API and use it with generated clients (needs make fast, Node.js and Python)
	@scripts/clients

fuzz: ## Call the server in 5,000 ways that the description allows or doesn't (needs make fast and Python)
	@scripts/fuzz 5000

bench: mongod ## Measure the optimised server against minimal servers (needs wrk: scripts/install-wrk)
	@scripts/install-wrk
	cargo bench --locked --bench http

release: ## Build the optimised binary
	cargo build --locked --release

.PHONY: help mongod mongod-unless-configured run seed test test-slow check spelling deny openapi openapi-base fast clients fuzz bench release
