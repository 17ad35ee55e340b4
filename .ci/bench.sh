#!/bin/sh
# The tables of the README: natively, then the pipeline as the browser runs it.
# Arguments go to the program: -quick, -rounds n, and what to measure.
set -eu
cd "$(dirname "$0")/bench"
go run . "$@"
wasm=$(mktemp)
trap 'rm -f "$wasm"' EXIT
GOOS=js GOARCH=wasm go build -o "$wasm" .
node "$(go env GOROOT)/lib/wasm/wasm_exec_node.js" "$wasm" -js
