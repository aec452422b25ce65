//go:build !race

package qtixml_test

const underRace = false
