package access_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"markr/httpapi/access"
)

var noon = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)

// newToken returns a token and what its line has in the second field.
func newToken(t testing.TB) (token, digest string) {
	t.Helper()
	token, err := access.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return token, access.DigestOf([]byte(token)).String()
}

func parse(t testing.TB, text string) *access.Tokens {
	t.Helper()
	tokens, err := access.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestNewToken(t *testing.T) {
	t.Parallel()
	first, digest := newToken(t)
	second, _ := newToken(t)
	if first == second || !strings.HasPrefix(first, "markr_") || len(first) != len("markr_")+43 {
		t.Errorf("tokens %q and %q", first, second)
	}
	if strings.Contains(digest, first) || len(digest) != len("sha256:")+64 {
		t.Errorf("digest %q", digest)
	}
	if _, err := access.NewToken(strings.NewReader("too short")); err == nil {
		t.Error("a token of nine bytes")
	}
}

// What Line writes, Parse reads.
func TestFile(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	for _, options := range []string{
		"import", "import,read", "import,read,export,metrics,admin",
		"read from=10.1.0.0/16,192.0.2.7,2001:db8::/32,::1",
		"read rate=0.5", "read rate=250 expires=2027-08-01T10:00:00Z",
	} {
		line := "scanner-1.east_wing " + digest + " " + options
		tokens := parse(t, "# a comment\n\n  "+line+"  \r\n\t# another")
		found := tokens.Find([]byte(token))
		if found == nil || tokens.Len() != 1 {
			t.Fatalf("%s: not found", options)
		}
		if got := access.Line(access.DigestOf([]byte(token)), found); got != line {
			t.Errorf("written again as %q, was %q", got, line)
		}
		for _, wrong := range []string{"", token[1:], token + " ", strings.ToUpper(token), digest} {
			if tokens.Find([]byte(wrong)) != nil {
				t.Errorf("%q is let in", wrong)
			}
		}
	}
	if tokens := parse(t, ""); tokens.Len() != 0 || tokens.Find(nil) != nil {
		t.Error("an empty file lets somebody in")
	}
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	_, other := newToken(t)
	for text, want := range map[string]string{
		"x":                                                       "line 1: a line is a name",
		"x " + digest:                                             "line 1: a line is a name",
		"x " + token + " read":                                    "line 1: the second field is not sha256:",
		"x " + digest[:70] + " read":                              "line 1: the second field",
		"x " + digest[:70] + "z read":                             "line 1: the digest is not hexadecimal",
		"x " + digest + " write":                                  `line 1: scope "write" is none of import, read, export, metrics, admin`,
		"x " + digest + " read,":                                  `line 1: scope ""`,
		"a b " + digest + " read":                                 "line 1: the second field",
		"ä " + digest + " read":                                   "line 1: name",
		"operator " + digest + " read":                            "line 1: the name operator is the audit trail's",
		"#\nMarkr " + digest + " read":                            "line 2: the name Markr is the audit trail's",
		strings.Repeat("n", 65) + " " + digest + " read":          "line 1: a name has 1 to 64",
		"x " + digest + " read color=red":                         `line 1: option "color"`,
		"x " + digest + " read rate=1 rate=2":                     `line 1: option "rate" is there twice`,
		"x " + digest + " read rate=0":                            "line 1: rate",
		"x " + digest + " read rate=NaN":                          "line 1: rate",
		"x " + digest + " read rate=-1":                           "line 1: rate",
		"x " + digest + " read from=":                             "line 1: from",
		"x " + digest + " read from=10.1.0.1/16":                  "it would be 10.1.0.0/16",
		"x " + digest + " read from=host.example":                 "line 1: from",
		"x " + digest + " read from=fe80::1%eth0":                 "line 1: from",
		"x " + digest + " read from=::ffff:10.0.0.0/104":          "line 1: from",
		"x " + digest + " read expires=soon":                      "line 1: expires",
		"x " + digest + " read\n#\nx " + other + " read":          "line 3: the name x is on line 1, too",
		"x " + digest + " read\ny " + digest + " import":          "line 2: another line has the same token",
		strings.Repeat("#\n", access.FileBytesMax/2) + "#":        "bytes, at most",
		"ok " + digest + " read\nbad " + other + " read rate=x\n": "line 2: rate",
	} {
		tokens, err := access.Parse([]byte(text))
		if tokens != nil || !errors.Is(err, access.ErrFile) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
		if line, ok := errors.AsType[*access.LineError](err); !strings.Contains(want, "at most") &&
			(!ok || !strings.Contains(err.Error(), fmt.Sprintf("line %d: ", line.Line))) {
			t.Errorf("%.60q: %v, line %+v", text, err, line)
		}
		if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), digest[10:60])) {
			t.Errorf("the error quotes a secret: %v", err)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, has := range access.ScopeNames() {
		for _, wanted := range access.ScopeNames() {
			have, err := access.ParseScope(has)
			want, wantErr := access.ParseScope(wanted)
			if err != nil || wantErr != nil {
				t.Fatal(err, wantErr)
			}
			if got := have.Allows(want); got != (has == wanted || has == "admin") {
				t.Errorf("%s allows %s: %v", has, wanted, got)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	guard := access.NewGuard(parse(t, "x "+digest+" read from=192.0.2.0/24 expires=2027-01-02"))
	inside, outside := netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("198.51.100.1")
	for _, one := range []struct {
		wanted  access.Scope
		address netip.Addr
		now     time.Time
		want    error
	}{
		{access.Read, inside, noon, nil},
		{access.Import, inside, noon, access.ErrScope},
		{access.Read, outside, noon, access.ErrSource},
		{access.Read, netip.Addr{}, noon, access.ErrSource},
		{access.Read, inside, noon.Add(12*time.Hour - 1), nil},
		{access.Read, inside, noon.Add(12 * time.Hour), access.ErrExpired},
	} {
		grant, err := guard.Identify([]byte(token), one.address, one.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := grant.Check(one.wanted, one.address, one.now); !errors.Is(got, one.want) {
			t.Errorf("%+v: %v", one, got)
		}
		if got := guard.Knows([]byte(token), one.wanted, one.address, one.now); got != (one.want == nil) {
			t.Errorf("%+v: known %v", one, got)
		}
	}
}

// A rate lets a second's worth pass at once and then one an interval, however the
// requests are spread.
func TestRate(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	for rate, want := range map[string]int{"10": 10, "0.25": 1} {
		grant := parse(t, "x "+digest+" read rate="+rate).Find([]byte(token))
		now, passed := noon, 0
		var wait time.Duration
		for wait == 0 {
			if wait = grant.Take(now); wait == 0 {
				passed++
			}
		}
		if passed != want {
			t.Errorf("rate %s: %d at once, want %d", rate, passed, want)
		}
		if grant.Take(now.Add(wait-1)) == 0 {
			t.Errorf("rate %s: passed before %v", rate, wait)
		}
		if again := grant.Take(now.Add(wait)); again != 0 {
			t.Errorf("rate %s: still %v to wait after %v", rate, again, wait)
		}
	}
	if parse(t, "x "+digest+" read").Find([]byte(token)).Take(noon) != 0 {
		t.Error("no rate, and a wait")
	}
}

// Failed attempts are limited by address, and nobody's valid token is kept out by
// them.
func TestStrikes(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	guard := access.NewGuard(parse(t, "x "+digest+" read"))
	try := func(token, address string, now time.Time) error {
		_, err := guard.Identify([]byte(token), netip.MustParseAddr(address), now)
		return err
	}
	for i := range access.StrikesAtOnce {
		if err := try("wrong", "192.0.2.1", noon); !errors.Is(err, access.ErrUnknownToken) {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	wait, limited := errors.AsType[*access.WaitError](try("wrong", "192.0.2.1", noon))
	if !limited || !wait.Attempts || wait.Wait != access.StrikeInterval {
		t.Fatalf("the next attempt: %v", wait)
	}
	if err := try(token, "192.0.2.1", noon); err != nil {
		t.Errorf("a valid token beside them: %v", err)
	}
	if err := try("wrong", "192.0.2.2", noon); !errors.Is(err, access.ErrUnknownToken) {
		t.Errorf("a neighbour: %v", err)
	}
	if err := try("wrong", "192.0.2.1", noon.Add(wait.Wait)); !errors.Is(err, access.ErrUnknownToken) {
		t.Errorf("after the wait: %v", err)
	}
	// A customer has a network of IPv6, not an address.
	for i := range access.StrikesAtOnce {
		_ = try("wrong", fmt.Sprintf("2001:db8::%x", i), noon)
	}
	if err := try("wrong", "2001:db8::ffff", noon); !errors.As(err, &wait) {
		t.Errorf("another address of the network: %v", err)
	}
}

// However many addresses try, memory is bounded, and those that are over make
// room.
func TestStrikesAreBounded(t *testing.T) {
	t.Parallel()
	guard := access.NewGuard(nil)
	now := noon
	try := func(i int) {
		address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		_, _ = guard.Identify([]byte("wrong"), address, now)
	}
	for i := range 3 * access.StrikesMax {
		try(i)
	}
	if got := guard.Remembered(); got != access.StrikesMax {
		t.Errorf("%d addresses are remembered, at most %d", got, access.StrikesMax)
	}
	now = now.Add(time.Hour)
	try(1 << 20)
	if got := guard.Remembered(); got != 1 {
		t.Errorf("%d addresses are remembered after an hour", got)
	}
}

// Grants are in order of name, whatever their digests are.
func TestGrants(t *testing.T) {
	t.Parallel()
	var lines, want []string
	for i := range 50 {
		_, digest := newToken(t)
		name := fmt.Sprintf("t%02d", (i*7)%50)
		lines = append(lines, name+" "+digest+" read")
		want = append(want, fmt.Sprintf("t%02d", i))
	}
	var got []string
	for _, grant := range parse(t, strings.Join(lines, "\n")).Grants() {
		got = append(got, grant.Name)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
}

// A set of tokens is replaced as a whole.
func TestReplace(t *testing.T) {
	t.Parallel()
	token, digest := newToken(t)
	guard := access.NewGuard(nil)
	if guard.Knows([]byte(token), access.Read, netip.Addr{}, noon) {
		t.Error("known before it is there")
	}
	guard.Replace(parse(t, "x "+digest+" read"))
	if !guard.Knows([]byte(token), access.Read, netip.Addr{}, noon) {
		t.Error("not known")
	}
	guard.Replace(parse(t, "# nobody"))
	if guard.Knows([]byte(token), access.Read, netip.Addr{}, noon) {
		t.Error("known when it is gone")
	}
}

func FuzzParse(f *testing.F) {
	_, digest := newToken(f)
	f.Add([]byte("a " + digest + " read from=::1 rate=3 expires=2027-01-01\n# b"))
	f.Add([]byte("a sha256: read"))
	f.Fuzz(func(t *testing.T, text []byte) {
		tokens, err := access.Parse(text)
		if (tokens == nil) != (err != nil) {
			t.Fatalf("%v and %v", tokens, err)
		}
		if err == nil && tokens.Len() > bytes.Count(text, []byte("sha256:")) {
			t.Fatalf("%d tokens", tokens.Len())
		}
	})
}

// BenchmarkFind is what a request with a token costs: one digest and one look-up,
// however many tokens there are.
func BenchmarkFind(b *testing.B) {
	for _, count := range []int{1, 1000} {
		b.Run(fmt.Sprintf("tokens=%d", count), func(b *testing.B) {
			var file strings.Builder
			var token string
			for i := range count {
				var digest string
				token, digest = newToken(b)
				fmt.Fprintf(&file, "t%d %s read rate=1000000\n", i, digest)
			}
			guard, presented := access.NewGuard(parse(b, file.String())), []byte(token)
			b.ReportAllocs()
			for b.Loop() {
				if grant, err := guard.Identify(presented, netip.Addr{}, noon); err != nil || grant.Check(access.Read, netip.Addr{}, noon) != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
