//go:build !race

package mcqxml_test

const underRace = false
