//go:build browser

package main

import (
	"context"
	"io"
)

func start(ctx context.Context, o options, stdout io.Writer) error { return nil }
