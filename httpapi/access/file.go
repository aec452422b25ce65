package access

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A token file is text, one token a line:
//
//	NAME  sha256:HEX  SCOPE[,SCOPE…]  [from=ADDRESS[,ADDRESS…]] [rate=N] [expires=TIME]
//
// DESIGN.md of httpapi has the rules.

// Limits of a token file.
const (
	// FileBytesMax is the longest file: a hundred thousand tokens.
	FileBytesMax = 16 << 20
	// NameBytesMax is the longest name of a token.
	NameBytesMax = 64
	// RateMax is the highest rate in requests a second.
	RateMax = 1e6
)

const digestPrefix = "sha256:"

// ErrFile is what is wrong with every token file that cannot be used.
var ErrFile = errors.New("not a token file")

// LineError says on which line a token file is wrong. What is wrong may quote the line;
// who must not keep that has the number.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error names the line and what is wrong.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Line is the line of a token in a token file, without its line feed.
func Line(digest Digest, g *Grant) string {
	parts := []string{g.Name, digest.String(), g.Scopes.String()}
	if len(g.From) > 0 {
		from := make([]string, len(g.From))
		for i, prefix := range g.From {
			from[i] = formatPrefix(prefix)
		}
		parts = append(parts, "from="+strings.Join(from, ","))
	}
	if g.Rate > 0 {
		parts = append(parts, "rate="+strconv.FormatFloat(g.Rate, 'f', -1, 64))
	}
	if !g.Expires.IsZero() {
		parts = append(parts, "expires="+g.Expires.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, " ")
}

// Parse reads a token file, whole or not at all. The error wraps [ErrFile], names the
// line, in a *[LineError], and never quotes a digest.
func Parse(text []byte) (*Tokens, error) {
	if len(text) > FileBytesMax {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFile, len(text), FileBytesMax)
	}
	tokens, names := newTokens(), make(map[string]int)
	number := 0
	wrong := func(err error) error {
		return fmt.Errorf("%w: %w", ErrFile, &LineError{number, err})
	}
	for line := range bytes.Lines(text) {
		number++
		fields := strings.Fields(string(line))
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		digest, g, err := parseLine(fields)
		if err != nil {
			return nil, wrong(err)
		}
		if earlier, taken := names[g.Name]; taken {
			return nil, wrong(fmt.Errorf("the name %s is on line %d, too", g.Name, earlier))
		}
		names[g.Name] = number
		if !tokens.add(digest, g) {
			return nil, wrong(errors.New("another line has the same token"))
		}
	}
	return tokens, nil
}

func parseLine(fields []string) (digest Digest, g *Grant, err error) {
	const required = 3
	if len(fields) < required {
		return digest, nil, errors.New("a line is a name, a digest, scopes, and options")
	}
	g = &Grant{Name: fields[0]}
	if err := CheckName(g.Name); err != nil {
		return digest, nil, err
	}
	if digest, err = parseDigest(fields[1]); err != nil {
		return digest, nil, err
	}
	if g.Scopes, err = ParseScope(fields[2]); err != nil {
		return digest, nil, err
	}
	seen := make(map[string]bool)
	for _, option := range fields[required:] {
		name, value, _ := strings.Cut(option, "=")
		if seen[name] {
			return digest, nil, fmt.Errorf("option %q is there twice", name)
		}
		seen[name] = true
		switch name {
		case "from":
			g.From, err = ParseFrom(value)
		case "rate":
			g.Rate, err = ParseRate(value)
		case "expires":
			g.Expires, err = ParseExpires(value)
		default:
			err = fmt.Errorf("option %q is none of from, rate, expires", name)
		}
		if err != nil {
			return digest, nil, err
		}
	}
	return digest, g, nil
}

// parseDigest does not say what it has read: it may be a token in the wrong place.
func parseDigest(text string) (digest Digest, err error) {
	digits, ok := strings.CutPrefix(text, digestPrefix)
	if !ok || len(digits) != hex.EncodedLen(len(digest)) {
		return digest, errors.New("the second field is not " + digestPrefix + " and 64 hexadecimal digits")
	}
	if _, err := hex.Decode(digest[:], []byte(digits)); err != nil {
		return digest, errors.New("the digest is not hexadecimal")
	}
	return digest, nil
}

// reserved are names that the audit trail has for others than whoever presents a token: a
// token of such a name could do something in theirs.
func reserved(name string) bool {
	return strings.EqualFold(name, "operator") || strings.EqualFold(name, "markr")
}

// CheckName says what is wrong with the name of a token: it is shown in lists and
// logs, so it has 1 to [NameBytesMax] letters, digits, dots, hyphens and
// underscores; and it is none that the audit trail has for others, operator and markr,
// in whatever case.
func CheckName(name string) error {
	if name == "" || len(name) > NameBytesMax {
		return fmt.Errorf("a name has 1 to %d characters, this one has %d", NameBytesMax, len(name))
	}
	if reserved(name) {
		return fmt.Errorf("the name %s is the audit trail's for somebody else; choose another", name)
	}
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
		default:
			return fmt.Errorf("name %q has %q; letters, digits, dots, hyphens and underscores are allowed", name, r)
		}
	}
	return nil
}

// ParseFrom reads addresses and networks (CIDR) with commas between them.
func ParseFrom(text string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for one := range strings.SplitSeq(text, ",") {
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			address, addressErr := netip.ParseAddr(one)
			if addressErr != nil || address.Zone() != "" {
				return nil, fmt.Errorf("from %q is no address and no network like 10.1.0.0/16", one)
			}
			address = address.Unmap()
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		if prefix != prefix.Masked() {
			return nil, fmt.Errorf("from %q has bits behind its length; it would be %v", one, prefix.Masked())
		}
		if prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("from %q: write the network as IPv4", one)
		}
		all = append(all, prefix)
	}
	return all, nil
}

func formatPrefix(prefix netip.Prefix) string {
	if prefix.IsSingleIP() {
		return prefix.Addr().String()
	}
	return prefix.String()
}

// ParseRate reads requests a second: more than 0, at most [RateMax].
func ParseRate(text string) (float64, error) {
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(rate) || rate < 1e-6 || rate > RateMax {
		return 0, fmt.Errorf("rate %q is not a number of requests a second, up to %d", text, int(RateMax))
	}
	return rate, nil
}

// ParseExpires reads a time (RFC 3339) or a date, which is the beginning of that
// day in UTC.
func ParseExpires(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("expires %q is not a time like 2027-08-01 or 2027-08-01T12:00:00Z", text)
}
