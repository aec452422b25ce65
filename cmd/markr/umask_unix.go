//go:build unix

package main

import "syscall"

// keepFilesPrivate makes every file of this process its owner's alone: the store
// creates its files with what the umask leaves, and they hold names.
func keepFilesPrivate() {
	const othersNothing = 0o077
	syscall.Umask(othersNothing)
}
