package core_test

import (
	"context"
	"fmt"

	"sluice/core"
)

// The usual life of a collector: run, submit, cancel, read the counts.
func Example() {
	store := core.NewMemoryStore()
	collector, err := core.NewAsyncCollector(store, core.Config{Workers: 4, Buffer: 64})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- collector.Run(ctx) }()

	for id := range uint64(6) {
		e := core.LogEvent{ID: id, Key: []string{"info", "warn", "info"}[id%3]}
		if err := collector.Submit(ctx, e); err != nil {
			fmt.Println(err)
		}
	}

	cancel() // no more events, but those accepted are counted
	if err := <-done; err != nil {
		fmt.Println(err)
	}
	fmt.Println("info", store.Get("info"), "warn", store.Get("warn"))
	// Output: info 4 warn 2
}
