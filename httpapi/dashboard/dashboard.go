// Package dashboard holds the files of the page that a browser sees at "/". They
// are plain files: nothing is built, nothing is fetched from elsewhere, and no
// script is needed to read a number. The desk at "/desk" has one that copies text.
package dashboard

import "embed"

// The files in [FS].
const (
	Template   = "page.html" // an html/template, rendered by markr/httpapi
	Desk       = "desk.html" // several of them, by name
	Stylesheet = "style.css"
	Script     = "desk.js"
	Icon       = "icon.svg"
)

// FS holds the page's files.
//
//go:embed page.html desk.html style.css desk.js icon.svg
var FS embed.FS
