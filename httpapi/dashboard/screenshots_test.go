package dashboard_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	screenshots = flag.String("screenshots", "", "write the README's pictures of the page into this directory")
	views       = flag.String("views", "", "write pictures of every view into this directory, to be looked at")
)

// settled is a moment in which nothing moves any more: fonts are there, and two frames
// were drawn.
const settled = `document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`

// TestScreenshots makes the README's pictures from generated data.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	if *screenshots == "" {
		t.Skip("it makes pictures for people; -screenshots DIR asks for them")
	}
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.82)
	const width, height = 1280, 1014
	for scheme, name := range map[string]string{"light": "page.png", "dark": "page-dark.png"} {
		b := openTab(t, h, width, height, scheme)
		call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 2})
		b.run(t, chromedp.Navigate(h.url+one(day.Test)))
		b.filled(t)
		b.needs(t, "/items")
		b.await(t, `document.getElementById("status-text").textContent === "Live"`)
		b.await(t, `document.querySelectorAll(".what-if tbody tr").length === 2`)
		value[bool](t, b, settled)
		b.picture(t, filepath.Join(*screenshots, name), height)
	}
}

// TestPictures makes pictures of every view, for whoever works on the page.
func TestPictures(t *testing.T) {
	t.Parallel()
	if *views == "" {
		t.Skip("it makes pictures for people; -views DIR asks for them")
	}
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.82)
	shown := map[string]string{
		"one": one(day.Test), "all": "/", "wall": one(day.Test) + "&wall=1", "walls": "/?wall=1",
		"docs": "/docs", "statistics": "/docs/statistics", "missing": one("none"), "desk": "/desk",
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280, 3840} {
			b := openTab(t, h, width, max(800, width*9/16), scheme)
			b.expect("404") // The page of a test that is not there.
			for name, path := range shown {
				b.run(t, chromedp.Navigate(h.url+path))
				b.await(t, `document.readyState === "complete"`)
				switch name {
				case "one":
					b.filled(t)
				case "walls":
					b.await(t, `document.querySelectorAll(".card .spark rect").length > 10`)
				}
				value[bool](t, b, settled)
				tall := 0.0
				if name == "docs" || name == "statistics" {
					tall = float64(max(1400, width*9/16))
				}
				b.picture(t, filepath.Join(*views, fmt.Sprintf("%s-%s-%d.png", name, scheme, width)), tall)
			}
			// As a printer sees it: A4 without its margins.
			if width == 1280 && scheme == "light" {
				b.run(t, chromedp.Navigate(h.url+one(day.Test)))
				b.filled(t)
				call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
				call(t, b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 695, Height: 1000, DeviceScaleFactor: 1.5})
				value[bool](t, b, settled)
				b.picture(t, filepath.Join(*views, "print.png"), 0)
			}
		}
	}
}
