//go:build !unix

package main

// keepFilesPrivate does nothing where files have no mode.
func keepFilesPrivate() {}
