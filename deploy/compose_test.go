package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// composeFile is what compose.yaml may say; anything else is an error.
type composeFile struct {
	Name     string             `yaml:"name"`
	Services map[string]service `yaml:"services"`
	Volumes  map[string]any     `yaml:"volumes"`
}

type service struct {
	Build           string   `yaml:"build"`
	Image           string   `yaml:"image"`
	Restart         string   `yaml:"restart"`
	Command         []string `yaml:"command"`
	Ports           []string `yaml:"ports"`
	Volumes         []string `yaml:"volumes"`
	Tmpfs           []string `yaml:"tmpfs"`
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	DependsOn       map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

// mount is one of a service's volumes in the short form.
type mount struct{ source, target, mode string }

func (s service) mounts(t *testing.T) []mount {
	t.Helper()
	var list []mount
	for _, v := range s.Volumes {
		parts := strings.Split(v, ":")
		if len(parts) < 2 || len(parts) > 3 {
			t.Fatalf("volume %q is not source:target or source:target:mode", v)
		}
		list = append(list, mount{parts[0], parts[1], strings.Join(parts[2:], "")})
	}
	return list
}

// decode reads a YAML file of the repository into a value that names everything
// the file may say.
func decode(t *testing.T, path string, value any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(read(t, path)), value, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func compose(t *testing.T) composeFile {
	t.Helper()
	var file composeFile
	decode(t, "compose.yaml", &file)
	return file
}

func TestComposeServicesAreConfined(t *testing.T) {
	t.Parallel()
	file := compose(t)
	for name, s := range file.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s is not confined: read_only %v, cap_drop %q, security_opt %q", name, s.ReadOnly, s.CapDrop, s.SecurityOpt)
		}
		if _, tag, _ := strings.Cut(s.Image, ":"); tag == "" || tag == "latest" {
			t.Errorf("%s runs %q: no tag that stays what it is", name, s.Image)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %q to the whole network", name, p)
			}
		}
		for other, on := range s.DependsOn {
			if _, there := file.Services[other]; !there || on.Condition != "service_healthy" {
				t.Errorf("%s waits for %s to be %q", name, other, on.Condition)
			}
		}
	}
}

// Nobody is asked for a token only where this machine alone reaches the server.
func TestComposeIsOpenToThisMachineAlone(t *testing.T) {
	t.Parallel()
	s := compose(t).Services["markr"]
	values := checkCommand(t, s.Command)
	_, insecure := values["insecure"]
	if _, tokens := values["token-file"]; insecure == tokens {
		t.Errorf("markr runs %q: either with tokens or without", s.Command)
	}
	for _, p := range s.Ports {
		if insecure && !strings.HasPrefix(p, "127.0.0.1:") {
			t.Errorf("markr asks nobody and publishes %q", p)
		}
	}
	if listens, image := values["listen"], checkCommand(t, words(t, only(t, "CMD")))["listen"]; listens != image {
		t.Errorf("compose listens on %q, the image on %q", listens, image)
	}
}

func TestComposeMountsExist(t *testing.T) {
	t.Parallel()
	file := compose(t)
	used := make(map[string]bool)
	for name, s := range file.Services {
		for _, m := range s.mounts(t) {
			if !strings.HasPrefix(m.source, "./") {
				if _, declared := file.Volumes[m.source]; !declared {
					t.Errorf("%s uses the volume %s, which is not declared", name, m.source)
				}
				used[m.source] = true
				continue
			}
			if _, err := os.Stat(filepath.Join(root, m.source)); err != nil || m.mode != "ro" {
				t.Errorf("%s mounts %s in mode %q: %v", name, m.source, m.mode, err)
			}
		}
	}
	for name := range file.Volumes {
		if !used[name] {
			t.Errorf("nobody uses the volume %s", name)
		}
	}
}

func TestComposeRunsTheImage(t *testing.T) {
	t.Parallel()
	s := compose(t).Services["markr"]
	if s.Build != "." {
		t.Errorf("markr is built from %q", s.Build)
	}
	exposed := only(t, "EXPOSE")
	if want := []string{"127.0.0.1:" + exposed + ":" + exposed}; !slices.Equal(s.Ports, want) {
		t.Errorf("markr publishes %q, the image exposes %s", s.Ports, exposed)
	}
	volume := only(t, "VOLUME")
	if mounts := s.mounts(t); len(mounts) != 1 || mounts[0].target != volume {
		t.Errorf("markr mounts %v, the image keeps its data in %s", mounts, volume)
	}
	if len(s.Command) > 0 {
		checkCommand(t, s.Command)
	}
	wait, err := time.ParseDuration(s.StopGracePeriod)
	if err != nil {
		t.Fatalf("stop_grace_period: %v", err)
	}
	checkStopTime(t, "stop_grace_period", wait)
}

func TestComposePrometheusReadsItsFiles(t *testing.T) {
	t.Parallel()
	s := compose(t).Services["prometheus"]
	targets := make(map[string]string)
	for _, m := range s.mounts(t) {
		targets[m.target] = m.source
	}
	settings := make(map[string]string)
	for _, argument := range s.Command {
		name, value, _ := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		settings[name] = value
	}
	config := settings["config.file"]
	if targets[config] != "./deploy/prometheus/prometheus.yml" {
		t.Errorf("Prometheus reads %q, mounts are %v", config, targets)
	}
	if _, mounted := targets[settings["storage.tsdb.path"]]; !mounted {
		t.Errorf("Prometheus writes to %q, mounts are %v", settings["storage.tsdb.path"], targets)
	}
	for _, name := range prometheusConfig(t).RuleFiles {
		if inside := filepath.Join(filepath.Dir(config), name); targets[inside] != "./deploy/prometheus/"+name {
			t.Errorf("Prometheus reads its rules from %q, mounts are %v", inside, targets)
		}
	}
}
