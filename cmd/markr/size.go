package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
)

// byteSize is the value creator of flags that hold a number of bytes.
type byteSize int64

// sizeFlag holds a number of bytes, written with or without a unit.
type sizeFlag = cli.FlagBase[int64, cli.NoConfig, byteSize]

// Create makes the value of one flag.
func (byteSize) Create(value int64, target *int64, _ cli.NoConfig) cli.Value {
	*target = value
	return (*byteSize)(target)
}

// ToString shows a default in help pages.
func (byteSize) ToString(value int64) string { return formatSize(value) }

// Set reads the flag's text.
func (b *byteSize) Set(text string) error {
	size, err := parseSize(text)
	if err != nil {
		return err
	}
	*b = byteSize(size)
	return nil
}

// Get returns the number of bytes.
func (b *byteSize) Get() any { return int64(*b) }

// String is the shortest exact form.
func (b *byteSize) String() string { return formatSize(int64(*b)) }

// sizeUnits, largest first. Only powers of two: with "MB" nobody knows which
// million was meant.
//
//nolint:gochecknoglobals // A table.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

var errSizeSyntax = errors.New("a size is a whole number of bytes, or of KiB, MiB, GiB or TiB, for example 32MiB")

// parseSize reads "33554432", "32MiB", "1 GiB".
func parseSize(text string) (int64, error) {
	digits, unit := text, int64(1)
	for _, u := range sizeUnits {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			digits, unit = strings.TrimSpace(number), u.bytes
		}
	}
	// ParseUint takes no sign; 63 bits keep the result in an int64.
	number, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(number) > (1<<63-1)/unit {
		return 0, errSizeSyntax
	}
	return int64(number) * unit, nil
}

// formatSize is the inverse of parseSize: the largest unit that divides exactly.
func formatSize(size int64) string {
	for _, u := range sizeUnits {
		if size != 0 && size%u.bytes == 0 {
			return strconv.FormatInt(size/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(size, 10)
}

// approximate shows a number of bytes to a person, to three digits or so.
func approximate(size int64) string {
	for _, u := range sizeUnits {
		if size >= u.bytes {
			return strconv.FormatFloat(float64(size)/float64(u.bytes), 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatInt(size, 10) + " B"
}
