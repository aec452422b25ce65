package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"
)

// build says what this binary was made of, as far as the go command recorded it:
// `go install` knows the version, `go build` in a clone the revision.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // empty when not built in a clone
	Modified bool   `json:"modified"` // the clone had changes that were not committed
	Time     string `json:"time"`     // of the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

// collector shows the build as a metric that is always 1. The collector of
// client_golang is not used because it leaves the version empty unless a linker
// flag sets it, and ours comes from the build information.
func (b build) collector() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "markr_build_info",
		Help: "What this binary was built from; always 1.",
		ConstLabels: prometheus.Labels{
			"version":   b.Version,
			"revision":  b.Revision,
			"modified":  fmt.Sprint(b.Modified),
			"goversion": b.Go,
			"goos":      runtime.GOOS,
			"goarch":    runtime.GOARCH,
		},
	}, func() float64 { return 1 })
}

func newVersion(std streams) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:        "version",
		Usage:       "print what this binary was built from",
		UsageText:   "markr version\nmarkr version --json",
		Description: "Version, revision and time come from the build information that the go command puts into every binary; nothing has to be set when building.",
		Flags: []cli.Flag{
			jsonFlag("print one JSON object", &asJSON),
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			return printVersion(std, asJSON)
		},
	}
}

func printVersion(std streams, asJSON bool) error {
	b := readBuild()
	if asJSON {
		return json.NewEncoder(std.out).Encode(b)
	}
	text := "markr " + b.Version
	if b.Revision != "" {
		text += fmt.Sprintf("\nrevision %s of %s", b.Revision, b.Time)
	}
	if b.Modified {
		text += ", modified"
	}
	_, err := fmt.Fprintf(std.out, "%s\n%s %s\n", text, b.Go, b.Platform)
	return err
}
