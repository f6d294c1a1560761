# The two commands: `make run` (set up, build, start, first answer) and `make test` (everything CI passes).
.DEFAULT_GOAL := help
.PHONY: help run test build setup clean-cache

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, build, start `outcrop dev`, send a first Converse
	@bash scripts/run.sh

test: ## pass everything: format, lints, generated code, unit tests, docs, licences, conformance, acceptance
	@bash scripts/test.sh

build: ## leave the release binary at target/release/outcrop and the default models in the cache
	@bash scripts/build.sh

setup: ## install what is missing (run, build and test do this themselves)
	@bash scripts/setup.sh

clean-cache: ## remove the build and client environments that these commands keep outside the clone
	@bash scripts/clean-cache.sh
