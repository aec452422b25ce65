package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

type prometheusFile struct {
	Global        map[string]string `yaml:"global"`
	RuleFiles     []string          `yaml:"rule_files"`
	ScrapeConfigs []struct {
		JobName       string `yaml:"job_name"`
		MetricsPath   string `yaml:"metrics_path"`
		StaticConfigs []struct {
			Targets []string `yaml:"targets"`
		} `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
}

type ruleFile struct {
	Groups []struct {
		Name  string  `yaml:"name"`
		Rules []alert `yaml:"rules"`
	} `yaml:"groups"`
}

type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func prometheusConfig(t *testing.T) prometheusFile {
	t.Helper()
	var file prometheusFile
	decode(t, "deploy/prometheus/prometheus.yml", &file)
	return file
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file ruleFile
	decode(t, "deploy/prometheus/rules.yml", &file)
	var list []alert
	for _, group := range file.Groups {
		list = append(list, group.Rules...)
	}
	if len(list) == 0 {
		t.Fatal("rules.yml has no alerts")
	}
	return list
}

func TestPrometheusScrapesTheService(t *testing.T) {
	t.Parallel()
	configs := prometheusConfig(t).ScrapeConfigs
	if len(configs) != 1 || len(configs[0].StaticConfigs) != 1 {
		t.Fatalf("prometheus.yml scrapes %v, not one thing", configs)
	}
	if _, there := compose(t).Services["markr"]; !there {
		t.Fatal("compose.yaml has no service markr")
	}
	want := []string{"markr:" + only(t, "EXPOSE")}
	if got := configs[0].StaticConfigs[0].Targets; !slices.Equal(got, want) {
		t.Errorf("Prometheus scrapes %q, the service is at %q", got, want)
	}
	for _, a := range alerts(t) {
		for selector := range strings.SplitSeq(a.Expr, "{") {
			inside, _, closed := strings.Cut(selector, "}")
			if closed && !strings.Contains(inside, `job="`+configs[0].JobName+`"`) {
				t.Errorf("%s looks at {%s}, not at the job %s", a.Alert, inside, configs[0].JobName)
			}
		}
	}
}

func TestAlertsAreUsable(t *testing.T) {
	t.Parallel()
	var tests struct {
		RuleFiles          []string `yaml:"rule_files"`
		EvaluationInterval string   `yaml:"evaluation_interval"`
		Tests              []struct {
			Name        string              `yaml:"name"`
			Interval    string              `yaml:"interval"`
			InputSeries []map[string]string `yaml:"input_series"`
			Cases       []struct {
				Name  string `yaml:"alertname"`
				Time  string `yaml:"eval_time"`
				Fires []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	decode(t, "deploy/prometheus/rules_test.yml", &tests)
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, test := range tests.Tests {
		for _, c := range test.Cases {
			if len(c.Fires) > 0 {
				fires[c.Name] = true
			} else {
				silent[c.Name] = true
			}
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !silent[a.Alert] {
			t.Errorf("%s: rules_test.yml has a case where it fires: %v, one where it does not: %v", a.Alert, fires[a.Alert], silent[a.Alert])
		}
		if severity := a.Labels["severity"]; severity != "page" && severity != "ticket" {
			t.Errorf("%s has the severity %q", a.Alert, severity)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s does not say what is wrong and what to do", a.Alert)
		}
	}
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool := skipWithout(t, "promtool", "the alert rules are not tried out; it comes with Prometheus")
	runHere(t, promtool, "check", "rules", "prometheus/rules.yml")
	runHere(t, promtool, "check", "config", "prometheus/prometheus.yml")
	runHere(t, promtool, "test", "rules", "prometheus/rules_test.yml")
}

var (
	metricName  = regexp.MustCompile(`\bmarkr_[a-z0-9_]+`)
	withoutList = regexp.MustCompile(`without \(([^)]*)\)`)
)

// An alert on a metric that does not exist never fires and nobody notices.
func TestAlertsLookAtRealMetrics(t *testing.T) {
	t.Parallel()
	metrics := scrape(t, prometheusConfig(t).ScrapeConfigs[0].MetricsPath)
	series := make(map[string]string) // name to the labels of one of its series
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, "#") {
			name, labels, _ := strings.Cut(strings.Fields(line)[0], "{")
			series[name] = labels
		}
	}
	for _, a := range alerts(t) {
		for _, name := range metricName.FindAllString(a.Expr, -1) {
			if _, there := series[name]; !there {
				t.Errorf("%s looks at %s, which /metrics of a new server does not have", a.Alert, name)
			}
		}
		for _, label := range submatches(withoutList, a.Expr) {
			if !slices.ContainsFunc(slices.Collect(maps.Values(series)), func(labels string) bool {
				return strings.Contains(labels, label+`="`)
			}) {
				t.Errorf("%s sums over the label %s, which no metric has", a.Alert, label)
			}
		}
	}
}

// scrape starts the server on a new data directory, fetches a page once it is
// ready, and stops the server as the image would.
func scrape(t *testing.T, page string) string {
	t.Helper()
	path, address := binary(t), freeAddress(t)
	var log bytes.Buffer
	// With tokens, so that what is counted of their file is there. The operators' listener
	// asks for none.
	tokens := filepath.Join(t.TempDir(), "tokens")
	runHere(t, path, "token", "new", "scanner", "--scope", "import", "--token-file", tokens)
	server := exec.Command(path, "serve", "--listen", "127.0.0.1:0", "--ops-listen", address, "--token-file", tokens,
		"--data-dir", t.TempDir(), "--free-disk-min", "0")
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for fetch(ctx, address, "/readyz") == "" {
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v\n%s", err, &log)
		case <-ctx.Done():
			_ = server.Process.Kill() // It may have ended just now.
			t.Fatalf("the server is not ready after 30 s: %v\n%s", <-ended, &log)
		case <-time.After(20 * time.Millisecond):
		}
	}
	body := fetch(ctx, address, page)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v after SIGTERM\n%s", err, &log)
	}
	if body == "" {
		t.Fatalf("the server has no %s", page)
	}
	return body
}

// fetch returns the body of a 200, and nothing of anything else.
func fetch(ctx context.Context, address, path string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	body, err := io.ReadAll(response.Body)
	if errors.Join(err, response.Body.Close()) != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

// freeAddress is one on the loopback interface that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}
