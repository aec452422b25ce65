package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/urfave/cli/v3"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/scoring"
	"markr/httpapi"
	"markr/wal"
)

// listenDefault is loopback: nobody is served by accident.
const listenDefault = "127.0.0.1:4567"

// Defaults that are not another room's.
const (
	dataDirDefault         = "./markr-data"
	refusedBytesMaxDefault = 1 << 30
	freeDiskMinDefault     = 1 << 30
	slowDefault            = time.Second
	drainTimeoutDefault    = 8 * time.Second // `docker stop` kills after 10 s, and closing takes a moment
	memoryRatioDefault     = 0.9             // leaves a tenth for what Go does not count
)

// The values of --item-analysis.
const (
	itemsOn  = "on"
	itemsOff = "off"
)

// serveOptions are the flags of the verb, checked one by one; what only makes
// sense together is checked when it is used.
type serveOptions struct {
	dataDir     string
	listen      string
	opsListen   string // empty: everything is on listen
	tlsCert     string // empty: plain HTTP
	tlsKey      string
	tlsClientCA string // empty: clients need no certificate
	tokenFile   string // empty: nobody is asked for a token
	insecure    bool
	scoring     string
	denominator string
	ruleAsked   struct{ Policy, Denominator bool } // the flags that were given
	profiles    string                             // empty: there are none

	itemAnalysis string // on or off

	limits          httpapi.Limits
	retryPause      time.Duration
	intake          intake.Limits
	headerBytesMax  int64
	refusedBytesMax int64
	freeDiskMin     int64

	memoryLimitRatio float64
	shutdownDelay    time.Duration
	drainTimeout     time.Duration

	logFormat string
	logLevel  string
	slow      time.Duration

	// adjust, when it is set, has the last word on how vault and engine are opened.
	// No flag sets it: tests do, for disks that lie and for many checkpoints.
	adjust func(*wal.Options, *engine.Options)
}

// flags lists all of them, by category in the order of the help page.
func (o *serveOptions) flags() []cli.Flag {
	return concat(o.placeFlags(), o.accessFlags(), o.ruleFlags(), o.formatFlags(), o.documentFlags(), o.connectionFlags(), o.resourceFlags(), o.logFlags())
}

func concat(groups ...[]cli.Flag) []cli.Flag {
	var all []cli.Flag
	for _, group := range groups {
		all = append(all, group...)
	}
	return all
}

func (o *serveOptions) placeFlags() []cli.Flag {
	const category = "PLACE"
	return []cli.Flag{
		&cli.StringFlag{
			Name: "data-dir", Category: category, TakesFile: true, Value: dataDirDefault, Destination: &o.dataDir,
			Usage: "keep everything in `DIR`, which is made if it is not there; one server at a time may have it", Validator: notEmpty,
		},
		&cli.StringFlag{
			Name: "listen", Category: category, Value: listenDefault, Destination: &o.listen,
			Usage: "serve HTTP on `ADDRESS`; :4567 is every address of the machine, port 0 any free port", Validator: address,
		},
		&cli.StringFlag{
			Name: "ops-listen", Category: category, Destination: &o.opsListen,
			Usage: "serve metrics and health on `ADDRESS` instead, out of the public's reach", Validator: addressOrEmpty,
		},
	}
}

func (o *serveOptions) accessFlags() []cli.Flag {
	const category = "ACCESS"
	return []cli.Flag{
		&cli.StringFlag{
			Name: "token-file", Category: category, TakesFile: true, Destination: &o.tokenFile,
			Usage: "let in whoever presents a token that `FILE` knows, see `markr token new --help`; read again when it changes and on SIGHUP",
		},
		&cli.StringFlag{
			Name: "tls-client-ca", Category: category, TakesFile: true, Destination: &o.tlsClientCA,
			Usage: "let import whoever has a certificate signed by one in `FILE` (PEM); its name is the documents' source",
		},
		&cli.BoolFlag{
			Name: "insecure", Category: category, Destination: &o.insecure,
			Usage: "let everybody do everything, where others than this machine reach the server, too",
		},
		&cli.StringFlag{
			Name: "tls-cert", Category: category, TakesFile: true, Destination: &o.tlsCert,
			Usage: "serve HTTPS with the certificate chain in `FILE` (PEM); needs --tls-key; read again when it changes and on SIGHUP",
		},
		&cli.StringFlag{
			Name: "tls-key", Category: category, TakesFile: true, Destination: &o.tlsKey,
			Usage: "the certificate's private key in `FILE` (PEM); needs --tls-cert",
		},
	}
}

func (o *serveOptions) ruleFlags() []cli.Flag {
	const category = "SCORING"
	return []cli.Flag{
		&cli.StringFlag{
			Name: "scoring", Category: category, Value: scoring.Highest.String(), Destination: &o.scoring,
			Usage: "which of a student's scans counts: the `RULE` highest, most-complete, latest or first; without the flag the vault's rule stays",
			Validator: func(name string) error {
				_, err := scoring.ParsePolicy(name)
				return err
			},
		},
		&cli.StringFlag{
			Name: "denominator", Category: category, Value: scoring.OfTest.String(), Destination: &o.denominator,
			Usage: "percent `OF` test, the most marks any scan of the test offers, or of sheet, the most the student's own do",
			Validator: func(name string) error {
				_, err := scoring.ParseDenominator(name)
				return err
			},
		},
		&cli.StringFlag{
			Name: "item-analysis", Category: category, Value: itemsOn, Destination: &o.itemAnalysis,
			Usage: "keep what was answered, for the analysis of questions: the `STATE` on or off; it takes a byte of memory for each answer", Validator: oneOf(itemsOn, itemsOff),
		},
	}
}

func (o *serveOptions) formatFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: "profiles", Category: "FORMATS", TakesFile: true, Destination: &o.profiles,
			Usage: "read tables sent as text/csv; profile=NAME by NAME.json in `DIR`, which says what their columns are; read once, at the start",
		},
	}
}

func (o *serveOptions) documentFlags() []cli.Flag {
	const category = "LIMITS OF A DOCUMENT"
	return []cli.Flag{
		size(category, "body-bytes-max", "refuse a request body longer than `SIZE`, as sent", httpapi.BodyBytesMaxDefault, &o.limits.BodyBytesMax),
		size(category, "decoded-bytes-max", "refuse a request body longer than `SIZE` once its content coding is taken off", httpapi.DecodedBytesMaxDefault, &o.limits.DecodedBytesMax),
		number(category, "records-max", "refuse a document with more than `N` records", intake.RecordsMaxDefault, &o.intake.RecordsMax),
		number(category, "depth-max", "refuse a document with elements nested deeper than `N`", intake.DepthMaxDefault, &o.intake.DepthMax),
	}
}

func (o *serveOptions) connectionFlags() []cli.Flag {
	const category = "LIMITS OF A CONNECTION"
	return []cli.Flag{
		&sizeFlag{
			Name: "header-bytes-max", Category: category, Value: httpapi.HeaderBytesMaxDefault, Destination: &o.headerBytesMax,
			Usage: "refuse a request header longer than `SIZE`", Validator: headerSize,
		},
		duration(category, "read-timeout", "cut off a request that has not arrived after `DURATION`; a document has its length at --body-rate-min on top", httpapi.ReadTimeoutDefault, &o.limits.ReadTimeout),
		size(category, "body-rate-min", "expect at least `SIZE` per second of an upload", httpapi.BodyBytesPerSecondMinDefault, &o.limits.BodyBytesPerSecondMin),
		duration(category, "write-timeout", "cut off a client that has not taken its response after `DURATION`", httpapi.WriteTimeoutDefault, &o.limits.WriteTimeout),
		duration(category, "idle-timeout", "close a connection that is silent for `DURATION` between requests", httpapi.IdleTimeoutDefault, &o.limits.IdleTimeout),
		number(category, "subscribers-max", "stream events to at most `N` clients at once", httpapi.SubscribersMaxDefault, &o.limits.SubscribersMax),
		number(category, "connections-max", "hold at most `N` connections open", httpapi.ConnectionsMaxDefault, &o.limits.ConnectionsMax),
	}
}

func (o *serveOptions) resourceFlags() []cli.Flag {
	const category = "LIMITS OF THE SERVER"
	return []cli.Flag{
		&cli.IntFlag{
			Name: "imports-in-flight-max", Category: category, Destination: &o.limits.ImportsInFlightMax,
			Usage:       "take at most `N` imports at a time; one more is answered 503 with Retry-After",
			DefaultText: fmt.Sprintf("%d per processor", httpapi.ImportsInFlightPerProcessor), Validator: atLeastOne,
		},
		&cli.DurationFlag{
			Name: "retry-pause", Category: category, Value: httpapi.RetryPauseDefault, Destination: &o.retryPause,
			Usage: "read nothing for up to `DURATION` from a connection after an import on it was answered 503 for want of room; 0s behind a proxy whose connections carry many clients", Validator: notNegative,
		},
		&sizeFlag{
			Name: "bytes-in-flight-max", Category: category, Destination: &o.limits.BytesInFlightMax,
			Usage:       "let all documents under way hold at most `SIZE` together",
			DefaultText: "a quarter of the memory limit, without one " + formatSize(httpapi.BytesInFlightMaxDefault), Validator: positive,
		},
		&sizeFlag{
			Name: "refused-bytes-max", Category: category, Value: refusedBytesMaxDefault, Destination: &o.refusedBytesMax,
			Usage: "keep at most `SIZE` of refused documents, as stored, and drop the oldest; 0 keeps none",
		},
		&sizeFlag{
			Name: "free-disk-min", Category: category, Value: freeDiskMinDefault, Destination: &o.freeDiskMin,
			Usage: "take no imports while less than `SIZE` of disk is free; 0 is no floor",
		},
		&cli.FloatFlag{
			Name: "memory-limit-ratio", Category: category, Value: memoryRatioDefault, Destination: &o.memoryLimitRatio,
			Usage: "aim to stay below this `SHARE` of the container's or machine's memory; 0 sets no limit; GOMEMLIMIT wins", Validator: share,
		},
		&cli.DurationFlag{
			Name: "shutdown-delay", Category: category, Destination: &o.shutdownDelay,
			Usage: "after a signal, be not ready for `DURATION` before closing the door, so that load balancers notice", DefaultText: "0s", Validator: notNegative,
		},
		duration(category, "drain-timeout", "then give requests under way `DURATION` to finish", drainTimeoutDefault, &o.drainTimeout),
	}
}

func (o *serveOptions) logFlags() []cli.Flag {
	const category = "LOG"
	return []cli.Flag{
		&cli.StringFlag{
			Name: "log-format", Category: category, Value: logText, Destination: &o.logFormat,
			Usage: "write log lines in `FORMAT` text or json", Validator: oneOf(logText, logJSON),
		},
		&cli.StringFlag{
			Name: "log-level", Category: category, Value: "info", Destination: &o.logLevel,
			Usage: "log from `LEVEL` on: debug, info, warn or error", Validator: oneOf("debug", "info", "warn", "error"),
		},
		&cli.DurationFlag{
			Name: "slow", Category: category, Value: slowDefault, Destination: &o.slow,
			Usage: "warn about an import or a read that takes `DURATION` or longer; 0s never warns", Validator: notNegative,
		},
	}
}

func size(category, name, usage string, value int64, target *int64) cli.Flag {
	return &sizeFlag{Name: name, Category: category, Usage: usage, Value: value, Destination: target, Validator: positive}
}

func number(category, name, usage string, value int, target *int) cli.Flag {
	return &cli.IntFlag{Name: name, Category: category, Usage: usage, Value: value, Destination: target, Validator: atLeastOne}
}

func duration(category, name, usage string, value time.Duration, target *time.Duration) cli.Flag {
	return &cli.DurationFlag{Name: name, Category: category, Usage: usage, Value: value, Destination: target, Validator: longerThanNothing}
}

// httpLimits are the limits of HTTP, with those that the flags leave open filled
// in. A limit can be right alone and wrong beside another.
func (o *serveOptions) httpLimits() (httpapi.Limits, error) {
	limits := o.limits
	limits.HeaderBytesMax = int(o.headerBytesMax)
	if limits.RetryPause = o.retryPause; o.retryPause == 0 {
		limits.RetryPause = -1 // as the limits say it
	}
	limits = limits.WithDefaults()
	if err := limits.Validate(); err != nil {
		return limits, withHint(usageError(err), "the limits have to fit together: change one of them, see `markr serve --help`")
	}
	return limits, nil
}

// level is the slog level of a name that the flag has checked.
func (o *serveOptions) level() slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(o.logLevel)) != nil {
		return slog.LevelInfo // Not reached: the flag takes names of levels only.
	}
	return level
}

// rule is the scoring rule of two names that the flags have checked.
func (o *serveOptions) rule() (scoring.Rule, error) {
	policy, policyErr := scoring.ParsePolicy(o.scoring)
	denominator, denominatorErr := scoring.ParseDenominator(o.denominator)
	return scoring.Rule{Policy: policy, Denominator: denominator}, errors.Join(policyErr, denominatorErr)
}
