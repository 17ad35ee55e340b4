# Every target does its own set-up; it needs Go 1.26, Node 20 with npm, and make.

ADDR   ?= 127.0.0.1:8000
BASE   ?= /
DIR    ?= build/static
BROTLI ?= 11

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
JSGUARD     = github.com/hack-pad/safejs/jsguard/cmd/jsguard@v0.1.0

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error

.PHONY: build
build: node_modules/.package-lock.json ## make build/sluice, with the page in it (BROTLI=1 is quick)
	go run ./web/build -brotli $(BROTLI)
	go build -trimpath -o build/sluice .

.PHONY: run
run: build ## build and serve the page (ADDR=host:port BASE=/path/)
	@exec build/sluice -addr $(ADDR) -base $(BASE)

.PHONY: static
static: build ## write the static site (DIR=dir BASE=/path/)
	build/sluice -static $(DIR) -base $(BASE)

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf build node_modules
	find web/dist -mindepth 1 ! -name README -delete
