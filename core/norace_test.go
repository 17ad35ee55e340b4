//go:build !race

package core_test

const race = false // is the race detector on?
