// Package mcqxml reads the documents that exam scanners post: media type
// text/xml+markr, root element mcq-test-results.
//
// [New] gives the decoder; [Decoder.Decode] is all there is to call. It works in
// two layers, each in the words of its own specification:
//
//   - The scanner (scanner.go, tag.go, markup.go, declaration.go) is XML 1.0,
//     fifth edition. It checks that the whole document is well-formed and hands
//     out start tags, end tags and, where asked, pieces of text. It builds no
//     tree and allocates nothing: names, attributes and texts are places in the
//     document.
//   - The reader (reader.go, field.go, quick.go) is the scanner document. It
//     knows which elements count, how often, and what may stand in them.
//
// Before both, encoding.go decides how the bytes are to be read. UTF-8 and
// US-ASCII are read where they stand; anything else is transcoded once into the
// document's arena.
//
// Guaranteed: a document is accepted whole or refused whole; the error is the
// first problem in document order, except that a document that is not
// well-formed is told so even if a well-formed record before the damage is wrong
// too; memory does not grow with nesting, attributes or the length of a text;
// time is linear in the length of the document.
//
// Not done: namespaces, DTDs, XML 1.1, encodings beyond the six listed in
// encoding.go. DESIGN.md, one directory up, says why and gives the choices made
// where the contract is silent.
package mcqxml
