// Package intake turns the bytes of a document into records, or says exactly
// what is wrong and where. It is the door; each format has a room of its own
// below it (mcqxml, markscsv, qtixml), chosen by media type through a [Registry].
//
// A [Decoder] checks the whole document before it says yes: there is no such
// thing as half a document. It never touches the network, the disk or a clock.
package intake
