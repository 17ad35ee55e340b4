# Every target does its own set-up; it needs Go 1.26, Node 20 with npm, and make.

ADDR   ?= 127.0.0.1:8000
BASE   ?= /
DIR    ?= build/static
BROTLI ?= 11

WASM      = $(addprefix ./,$(addsuffix /...,$(wildcard core wasm/lab wasm/scene wasm/desk)))
NODE_EXEC = $(shell go env GOROOT)/lib/wasm/go_js_wasm_exec
JS        = GOOS=js GOARCH=wasm

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

.PHONY: test
test: build browser ## vet, tests: native with -race, js/wasm in Node, the page in Chromium
	go vet ./...
	$(JS) go vet ./core/... ./wasm/...
	go test -race ./...
	$(JS) go test -exec "$(NODE_EXEC)" $(WASM)
	go vet -tags browser,long ./web/browsertest/...
	go test -tags browser -count 1 ./web/browsertest/...

.PHONY: browser
browser:
	@.ci/browser

.PHONY: lint
lint: ## gofmt, vet for both platforms, staticcheck, jsguard
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	go vet ./...
	$(JS) go vet ./core/... ./wasm/...
	go -C .ci/lint build -o $(CURDIR)/build/tools/ tool
	build/tools/staticcheck -tags browser,long ./...
	$(JS) build/tools/staticcheck ./core/... ./wasm/...
	$(JS) build/tools/jsguard ./wasm/...

.PHONY: bench
bench: ## the core against its peers, the server against http.FileServer
	.ci/bench.sh
	go test -run '^$$' -bench Serve -count 6 ./web

.PHONY: frames
frames: build browser ## frames and start of the page, in Chromium
	go run -tags browser ./web/browsertest/bench start frames

.PHONY: mutants
mutants: ## wrong edits of the core, each of which the tests must catch
	go run ./.ci/mutants

.PHONY: weight
weight: ## app.wasm against an empty go-app page
	go run ./web/build -weigh

.PHONY: long
long: build browser weight mutants ## what takes long: weight, mutants, tests tagged long
	go test -tags long -count 1 -timeout 60m ./...
	go test -tags browser,long -count 1 -timeout 60m ./web/browsertest/soak

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf build node_modules
	find web/dist -mindepth 1 ! -name README -delete
