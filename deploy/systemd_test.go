package deploy_test

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// unit reads the settings of the systemd unit, by name.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	settings := make(map[string][]string)
	section := ""
	for line := range strings.Lines(read(t, "deploy/systemd/markr.service")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || section == "" {
			t.Fatalf("%q is no setting in a section", line)
		}
		settings[name] = append(settings[name], value)
	}
	return settings
}

func TestUnitRunsTheServer(t *testing.T) {
	t.Parallel()
	settings := unit(t)
	command := strings.Fields(strings.Join(settings["ExecStart"], " "))
	if len(command) < 2 || !path.IsAbs(command[0]) || path.Base(command[0]) != "markr" {
		t.Fatalf("ExecStart=%q does not start markr", command)
	}
	values := checkCommand(t, command[1:])
	if got, want := values["data-dir"], "/var/lib/"+strings.Join(settings["StateDirectory"], ""); got != want {
		t.Errorf("the data is in %q, systemd makes %q", got, want)
	}
	seconds, err := strconv.Atoi(strings.Join(settings["TimeoutStopSec"], ""))
	if err != nil {
		t.Fatalf("TimeoutStopSec: %v", err)
	}
	checkStopTime(t, "TimeoutStopSec", time.Duration(seconds)*time.Second)
}

// A wrong setting is wrong again after a restart; the exit code tells it apart.
func TestUnitDoesNotRestartOnUsageErrors(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(markr(t, "--help"), "Exit status:\n")
	if !found {
		t.Fatal("markr --help has no exit codes")
	}
	for _, code := range unit(t)["RestartPreventExitStatus"] {
		if !slices.ContainsFunc(strings.Split(table, "\n"), func(line string) bool {
			number, meaning, _ := strings.Cut(strings.TrimSpace(line), " ")
			return number == code && strings.Contains(meaning, "command line")
		}) {
			t.Errorf("exit code %s is not that of a wrong command line", code)
		}
	}
}

func TestUnitIsConfined(t *testing.T) {
	t.Parallel()
	analyze := skipWithout(t, "systemd-analyze", "the unit's exposure is not rated; it comes with systemd")
	// 20 is an exposure of 2.0 out of 10; without a threshold any unit passes.
	runHere(t, analyze, "security", "--offline=true", "--threshold=20", "systemd/markr.service")
}
