// Package dashboard holds the files of the page that a browser sees at "/". They
// are plain files: nothing is built, nothing is fetched from elsewhere, and no
// script is needed to read a number.
package dashboard

import "embed"

// The files in [FS].
const (
	Template   = "page.html" // an html/template, rendered by markr/httpapi
	Stylesheet = "style.css"
	Icon       = "icon.svg"
)

// FS holds the page's files.
//
//go:embed page.html style.css icon.svg
var FS embed.FS
