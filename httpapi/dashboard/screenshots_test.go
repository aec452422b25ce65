package dashboard_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots makes pictures of the page from generated data, to be looked at:
// `go test ./httpapi/dashboard -run TestScreenshots -screenshots DIR`.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	if *screenshots == "" {
		t.Skip("it makes pictures for people; -screenshots DIR asks for them")
	}
	h := openHouse(t)
	day := examDay(t)
	h.scan(t, day, 0.78)
	one := "/?test=" + url.QueryEscape(day.Test)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280, 3840} {
			b := openTab(t, width, width*9/16+200, scheme)
			for _, view := range []struct{ name, path string }{{"one", one}, {"all", "/"}, {"wall", one + "&wall=1"}, {"walls", "/?wall=1"}} {
				b.run(t, chromedp.Navigate(h.url+view.path))
				b.await(t, `document.readyState === "complete" && document.body.classList.contains("live")`)
				if view.name == "one" {
					b.await(t, `document.querySelector("#panel-imports tbody tr") !== null`)
				}
				value[bool](t, b, `new Promise((done) => setTimeout(() => done(true), 800))`)
				b.picture(t, filepath.Join(*screenshots, fmt.Sprintf("%s-%s-%d.png", view.name, scheme, width)), 0)
			}
		}
	}
}
