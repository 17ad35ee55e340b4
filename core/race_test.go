//go:build race

package core_test

const race = true
