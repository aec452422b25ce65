package dashboard_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds whatever a browser is waited for; nothing waits that long when all
// is well.
const patience = 2 * time.Minute

// browsers are the programs that are looked for, in this order.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"}

// The browser is started once for all tests of the package: it costs a second and a
// half of both processors.
var browser struct {
	sync.Once

	context context.Context
	cancel  context.CancelFunc
	err     error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if browser.cancel != nil {
		browser.cancel()
	}
	os.Exit(code)
}

// tab is a page in a browser of its own kind of person: nothing is shared with other
// tabs but the program.
type tab struct {
	context context.Context
	lacks   []string // routes of the server

	mu struct {
		sync.Mutex

		faults   []string
		expected []string // what may be in one
	}
}

// expect allows faults with some words in them.
func (b *tab) expect(words string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.expected = append(b.mu.expected, words)
}

// openTab opens an empty tab of a size, and fails the test if there is a word on the
// console in the end. Without a browser the test is skipped.
func openTab(t *testing.T, h *house, width, height int64, scheme string) *tab {
	t.Helper()
	start(t)
	ctx, cancel := chromedp.NewContext(browser.context, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil { // It lives as long as the context that it begins with.
		t.Fatal(err)
	}
	bounded, stop := context.WithTimeout(ctx, patience)
	b := &tab{context: bounded, lacks: h.lacks(t)}
	b.mu.expected = b.lacks
	t.Cleanup(func() {
		stop()
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, fault := range b.mu.faults {
			if !slices.ContainsFunc(b.mu.expected, func(words string) bool { return strings.Contains(fault, words) }) {
				t.Errorf("the console says: %s", fault)
			}
		}
	})
	if err := chromedp.Listen(bounded, b.listen); err != nil {
		t.Fatal(err)
	}
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, runtime.Enable, cdp.Empty{})
	call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	return b
}

func start(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("the race detector has nothing to find in a browser")
	}
	browser.Do(func() {
		name := ""
		for _, candidate := range browsers {
			if found, err := exec.LookPath(candidate); err == nil {
				name = found
				break
			}
		}
		if name == "" {
			browser.err = fmt.Errorf("no browser: none of %s is on the PATH", strings.Join(browsers, ", "))
			return
		}
		options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
			chromedp.ExecPath(name), chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("hide-scrollbars", true),
			chromedp.CombinedOutput(io.Discard), chromedp.WSURLReadTimeout(patience))
		if os.Geteuid() == 0 { // The sandbox refuses root.
			options = append(options, chromedp.NoSandbox)
		}
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, stop := chromedp.NewContext(allocator)
		browser.context, browser.cancel = ctx, func() { stop(); stopAllocator() }
		if err := chromedp.Do(ctx); err != nil {
			browser.err = fmt.Errorf("start %s: %w", filepath.Base(name), err)
		}
	})
	if browser.err != nil {
		t.Skip(browser.err)
	}
}

// listen collects what a person would see in the console.
func (b *tab) listen(event any) {
	fault := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault = fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, argument := range e.Args {
				fault += fmt.Sprintf("%s %s ", argument.Description, argument.Value)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			fault = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mu.faults = append(b.mu.faults, fault)
	}
}

func (b *tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.context, actions...); err != nil {
		t.Fatal(err)
	}
}

// call is a command of the browser's protocol.
func call[P, R any](t *testing.T, b *tab, command cdp.Command[P, R], parameters P) R {
	t.Helper()
	answer, err := chromedp.Call(b.context, command, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// await waits until a JavaScript expression is true, over whatever navigation.
func (b *tab) await(t *testing.T, expression string) {
	t.Helper()
	const between = 20 * time.Millisecond
	for deadline := time.Now().Add(patience / 2); ; time.Sleep(between) {
		isTrue, err := chromedp.Run(b.context, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && isTrue {
			return
		}
		if time.Now().After(deadline) || b.context.Err() != nil {
			body, _ := chromedp.Run(b.context, chromedp.Evaluate[string](`document.body.innerText.slice(0, 3000)`))
			t.Fatalf("%s: %v\n%s", expression, err, body)
		}
	}
}

// value is that of a JavaScript expression, or of a promise.
func value[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b.context, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// picture writes what the tab shows: so much of it, or the whole if height is 0.
func (b *tab) picture(t *testing.T, name string, height float64) {
	t.Helper()
	width := value[float64](t, b, "document.documentElement.clientWidth")
	if height == 0 {
		height = value[float64](t, b, "document.documentElement.scrollHeight")
	}
	shot := call(t, b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: new(true),
		Clip: &page.Viewport{Width: width, Height: height, Scale: 1},
	})
	if err := os.WriteFile(name, shot.Data, 0o666); err != nil {
		t.Fatal(err)
	}
}
