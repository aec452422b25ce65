// Package dashboard holds the files of the pages that a browser sees. They are plain
// files: nothing is built and nothing is fetched from elsewhere. No script is needed
// to read the figures; what moves is drawn by small modules, which speak the public
// API and nothing else.
package dashboard

import (
	"embed"
	"io/fs"
	"path"
	"slices"
)

// The files in [FS] that are named from outside.
const (
	Template   = "page.html" // an html/template, rendered by markr/httpapi
	Desk       = "desk.html" // several of them, by name
	Docs       = "docs.html" // several, too
	Statistics = "statistics.html"
	Stylesheet = "style.css"
	Script     = "page.js" // the module that imports the others
	DeskScript = "desk.js"
	Icon       = "icon.svg"
)

// FS holds the pages' files.
//
//go:embed *.html *.css *.js *.svg
var FS embed.FS

// Assets are the files that browsers fetch, by name with their media type. They name
// each other by relative addresses.
func Assets() (map[string]string, error) {
	mediaTypes := map[string]string{
		".css": "text/css; charset=utf-8",
		".js":  "text/javascript; charset=utf-8",
		".svg": "image/svg+xml",
	}
	assets := make(map[string]string)
	err := fs.WalkDir(FS, ".", func(name string, _ fs.DirEntry, err error) error {
		if mediaType, isAsset := mediaTypes[path.Ext(name)]; isAsset {
			assets[name] = mediaType
		}
		return err
	})
	return assets, err
}

// Modules are those of the page's script, in order of name: the page asks for all of
// them at once instead of finding one in the other.
func Modules() ([]string, error) {
	assets, err := Assets()
	if err != nil {
		return nil, err
	}
	var modules []string
	for name := range assets {
		if path.Ext(name) == ".js" && name != Script && name != DeskScript {
			modules = append(modules, name)
		}
	}
	slices.Sort(modules)
	return modules, nil
}
