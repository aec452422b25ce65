// Package delta compresses text that repeats itself record by record, such as
// scanner documents: most of a record is the record before it with a few fields
// changed. It knows delimiters and nothing of examinations.
//
// Where a general compressor searches for what a text repeats, this one knows: a
// pointer into what has been read already, the reference, trails one record
// behind. Text and reference are compared eight bytes at a time; where they
// differ a field does, and both go on behind it. So neither places nor lengths of
// repetitions are searched for or stored, only how far text and reference agreed
// and what the text has instead. Before the first record the reference is a
// record that comes with the program.
//
// [Encoder.Parse] takes a text apart into [Streams] and [Streams.Append] puts a
// text together again. The streams are the document in another form: one text
// always has the same streams, and equal streams mean equal texts. That is pinned
// by a test, because documents are known by a digest of their streams.
// [Packer] makes the streams short, and is free to do it better one day.
//
// Guaranteed: time and memory in proportion to the text, whatever the text; a
// text that does not repeat itself is given up early. What is read back is never
// trusted: a damaged body is an error or another text, never a panic and never
// more memory than the caller allows. DESIGN.md has the bytes.
package delta
