package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"

	"markr/httpapi/access"
)

// Bits of a file's mode that a secret should not have.
const (
	modeOthersWrite = 0o022
	modeOthersRead  = 0o044
)

// tokenFile is the file that says which tokens are let in. It holds digests, so
// whoever reads it cannot use them; whoever writes it lets in whom they like.
type tokenFile struct {
	name   string
	guard  *access.Guard
	logger *slog.Logger
	read   []byte // the last time that it was good
	tokens *access.Tokens
}

// watched is the file as a watcher takes it up.
func (f *tokenFile) watched() *watched {
	return &watched{what: "tokens", files: []string{f.name}, load: f.load, inForce: f.inForce}
}

// load reads the file and puts its tokens in place of the ones so far.
func (f *tokenFile) load() (changed bool, err error) {
	text, mode, err := readTokenFile(f.name)
	if err != nil {
		return false, withHint(fmt.Errorf("read tokens: %w", err),
			"`markr token new NAME --scope import` makes a line for the file; its group and others must not be able to write it: chmod 600")
	}
	if f.read != nil && bytes.Equal(text, f.read) {
		return false, nil
	}
	tokens, err := access.Parse(text)
	if err != nil {
		return false, withHint(fmt.Errorf("read tokens: %s: %w", f.name, err), "a line is NAME sha256:DIGEST SCOPE,SCOPE…, as `markr token new` writes it")
	}
	f.guard.Replace(tokens)
	f.read, f.tokens = append([]byte{}, text...), tokens
	if mode&modeOthersRead != 0 && runtime.GOOS != "windows" {
		f.logger.Warn("others can read the token file", "file", f.name, "mode", mode.Perm(), "hint", "chmod 600")
	}
	f.logger.Info("tokens", "file", f.name, "count", tokens.Len())
	return true, nil
}

// readTokenFile reads a file that nobody but its owner can write.
func readTokenFile(name string) ([]byte, fs.FileMode, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close() //nolint:errcheck // Nothing was written.
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, 0, err
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("%s: %w", name, errNotAFile)
	case info.Mode()&modeOthersWrite != 0 && runtime.GOOS != "windows":
		return nil, 0, fmt.Errorf("%s: mode %v lets others write it", name, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, access.FileBytesMax+1))
	return text, info.Mode(), err
}

// appendToken adds a line to a token file, which is made if it is not there. What
// would make the file a bad one is refused.
func appendToken(name, line string) (err error) {
	text, _, err := readTokenFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	addition := line + "\n"
	if len(text) > 0 && text[len(text)-1] != '\n' {
		addition = "\n" + addition
	}
	if _, err := access.Parse(append(text, addition...)); err != nil {
		return fmt.Errorf("%s with the new line: %w", name, err)
	}
	const ownersAlone = 0o600
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, ownersAlone)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.WriteString(file, addition); err != nil {
		return fmt.Errorf("append to %s: %w", name, err)
	}
	return file.Sync()
}
