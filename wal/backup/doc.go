// Package backup keeps copies of a vault's data directory, each as of one position.
//
// Most readers need [Store.Add], which returns when a backup is on disk and has been
// opened to see that it is whole, and [Store.Restore], which makes a data directory of
// one.
//
// Guaranteed: a backup that is listed was whole when it was made; what has been damaged
// since is named and not restored; what an interrupted run leaves behind is neither
// taken for a backup nor for a data directory, and the next run cleans it up.
//
// Not guaranteed: anything against loss of the disk, if tables are hard links or the
// store is on the disk of the data directory.
//
// A Store is for one goroutine. The design, with the bytes on disk and what each crash
// leaves, is in DESIGN.md.
package backup
