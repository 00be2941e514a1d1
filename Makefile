# The menu. `make help` lists it; what a target does is written in xtask/.

SHELL := /bin/bash
XTASK := cargo xtask
BUILT := $(or $(CARGO_TARGET_DIR),target)
MINUTES ?= 60
BASE ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help tools build run down test check bench bench-compare load faults book gen clean cluster cluster-down test-cluster test-browser test-playbooks test-client-ts check-delivery screenshots manifests

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

tools: ## Install the programs that the shop needs on one machine (once; kept outside the clone)
	@$(XTASK) tools

build: ## Build everything
	cargo build --workspace

run: ## Build the shop and run it on this machine (ARGS="--port 9000" goes to bigtix up)
	@$(XTASK) run $(ARGS)

down: ## Stop the shop that runs on this machine
	$(BUILT)/debug/bigtix down $(ARGS)

test: ## Everything a change has to pass (ARGS="-p bigtix-orders" goes to cargo test)
	@$(XTASK) test $(ARGS)

check: ## Formatting, lints, documentation, layering, versions of the release
	@$(XTASK) check

cluster: ## A Kubernetes on this machine with the operator and a shop in it
	@tests/cluster/shop.sh

cluster-down: ## End that Kubernetes and everything in it
	@tests/cluster/down.sh

test-cluster: ## Only the scenarios on Kubernetes (ARGS="rollouts" chooses some)
	@tests/cluster/test.sh $(ARGS)

test-browser: ## Only the shop in a browser (ARGS="tests/buying.test.js" chooses some, ARGS=lighthouse measures)
	@services/web/browser/test.sh $(ARGS)

test-playbooks: ## Only the playbooks, on the cluster that KUBECONFIG names or `make cluster` made
	@ansible/test.sh

test-client-ts: ## Only the TypeScript client, and its example in a running shop
	@sdk/client-ts/test.sh

check-delivery: ## Playbooks, workflows, Skaffold, released API documents, alerts, dashboards; no cluster is needed
	@scripts/check-delivery.sh

screenshots: ## Take the README's pictures of the shop again
	@services/web/browser/test.sh screenshots

manifests: ## Print the operator as plain YAML, for those who have no Helm
	@tests/cluster/manifests.sh

bench: ## Build for release and measure (ARGS go to bigtix-bench)
	@$(XTASK) bench $(ARGS)

bench-compare: ## Build another commit too and measure both by turns (BASE=HEAD~1, ARGS go to bigtix-bench)
	@$(XTASK) bench-compare "$(BASE)" $(ARGS)

load: ## Build for release and send buyers to a shop (ARGS="rush --rate 2000" goes to bigtix-load)
	@$(XTASK) load $(ARGS)

faults: ## Break a shop for so many MINUTES (SEED=7 does it again, ARGS=defects shows that mistakes are found)
	@$(XTASK) faults $(or $(ARGS),run --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)))

book: ## Build the documentation as a book in target/book, and check its links
	@$(XTASK) book

gen: ## Write the generated files again: API documents, resource definitions, settings, the release, TypeScript types
	BIGTIX_BLESS=1 cargo test --workspace generated_
	cd sdk/client-ts && ../../scripts/node-modules.sh && npm run --silent generate

clean: ## Remove what was built, and the stopped shop's data
	@test ! -e .bigtix/run.json || { echo "The shop is running on .bigtix: make down first."; exit 1; }
	@test ! -e /run/bigtix-cluster || { echo "The cluster is up: make cluster-down first."; exit 1; }
	rm -rf $(BUILT) .bigtix
