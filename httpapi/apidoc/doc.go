// Package apidoc reads the OpenAPI document of the API into what a page shows of it:
// operations by tag with their parameters, bodies and answers, and the schemas they
// speak of. It is pure: bytes in, values out, and nothing in them is HTML.
//
// It reads what Markr's own document has, not all of OpenAPI; what it does not know is
// left out. [Read] says which reference leads nowhere.
package apidoc
