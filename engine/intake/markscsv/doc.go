// Package markscsv reads tables of marks: media type text/csv, RFC 4180.
//
// Without a profile the header line names the columns: test-id, student-number,
// available and obtained, and perhaps first-name, last-name and scanned-on, in any
// order, beside any others. With a profile ([Profile], the parameter profile of the
// content type) the columns are whatever the profile says, and marks may come from
// the answers to questions: awarded marks, or responses and a key. That is what
// optical mark readers export.
//
// [New] gives the decoder. It works in two layers:
//
//   - The scanner (scanner.go, encoding.go) is RFC 4180: lines, fields, quotes. It
//     hands out places in the text and allocates nothing.
//   - The reader (reader.go, layout.go, scheme.go) is the table: which column is
//     what, what may stand in it, and what a sheet is worth.
//
// Guaranteed: a document is accepted whole or refused whole; the error is the first
// problem in document order, except that what is no table is told so (400) even if
// a value before it is wrong, too (422); memory does not grow with the length of a
// field; the order of the columns makes no difference.
//
// A document with a profile is kept with the profile spelled out in its content type
// ([Decoder.Choose]): it is read the same for ever, whatever becomes of the file.
//
// DESIGN.md, one directory up, has the choices made where the contract is silent.
package markscsv
