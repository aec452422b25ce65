package main_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The sample that scanners' makers hand out is not ours to ship. Where it lies
// beside the repository, the whole program must answer it to the byte: at once,
// after a crash, and after its records have come again in other orders.
func TestSample(t *testing.T) {
	t.Parallel()
	const want = `{"mean":50.80246913580247,"stddev":9.92119535943923,"min":30.0,"max":75.0,"p25":45.0,"p50":50.0,"p75":55.0,"count":81}`
	sample, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "sample_results.xml"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("shared/sample_results.xml is not beside the repository")
	} else if err != nil {
		t.Fatal(err)
	}
	client, dir := newHTTPClient(t), t.TempDir()
	check := func(p *process, when string) {
		t.Helper()
		status, body, err := get(client, p.url+"/results/9863/aggregate")
		if err != nil || status != http.StatusOK || string(body) != want {
			t.Errorf("%s: status %d, %v:\n%s\nwant\n%s", when, status, err, body, want)
		}
	}
	p := serve(t, dir)
	if status, body, err := post(client, p.url, sample); err != nil || status != http.StatusOK {
		t.Fatalf("import: status %d, %v: %s", status, err, body)
	}
	check(p, "imported")
	p.kill()
	p = serve(t, dir)
	check(p, "after a crash")

	records := regexp.MustCompile(`(?s)<mcq-test-result .*?</mcq-test-result>`).FindAllString(string(sample), -1)
	if len(records) != 100 {
		t.Fatalf("%d records in the sample", len(records))
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3 {
		random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		shuffled := "<mcq-test-results>" + strings.Join(records, "\n") + "</mcq-test-results>"
		if status, body, err := post(client, p.url, []byte(shuffled)); err != nil || status != http.StatusOK {
			t.Fatalf("import again: status %d, %v: %s", status, err, body)
		}
		check(p, "in another order")
	}
	if code := p.stop(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	check(serve(t, dir), "after a stop")
}
