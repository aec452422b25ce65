package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"markr/engine"
	"markr/engine/intake"
	"markr/engine/intake/markscsv"
	"markr/engine/intake/mcqxml"
	"markr/engine/intake/qtixml"
)

// formats are the kinds of documents that are read: those that arrive, within
// limits, and those of the vault, which were accepted under the limits of their
// day and must stay readable when limits are lowered. Those of the vault need no
// profiles: each is kept with its own. profiles are those for what arrives.
func (o *serveOptions) formats() (arriving, kept *intake.Registry, profiles engine.InForce, err error) {
	read, err := readProfiles(o.profiles)
	if err != nil {
		return nil, nil, profiles, err
	}
	arriving, err = intake.NewRegistry(decoders(o.intake, read...)...)
	if err != nil {
		return nil, nil, profiles, err
	}
	kept, err = keptFormats()
	return arriving, kept, profilesInForce(o.profiles, read), err
}

// keptFormats are those of the vault.
func keptFormats() (*intake.Registry, error) {
	return intake.NewRegistry(decoders(intake.Limits{RecordsMax: math.MaxInt32, DepthMax: math.MaxInt32})...)
}

// decoders are all there are: a new format is one more line here.
func decoders(limits intake.Limits, profiles ...*markscsv.Profile) []intake.Decoder {
	return []intake.Decoder{
		mcqxml.New(limits),
		markscsv.New(limits, profiles...),
		qtixml.New(limits),
	}
}

// profileExtension is what the files of profiles end with; others are left alone.
const profileExtension = ".json"

// readProfiles reads the profiles in a directory: all of them or none. Without a
// directory there are none.
func readProfiles(dir string) ([]*markscsv.Profile, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, withHint(fmt.Errorf("read profiles: %w", err), "--profiles names a directory of profiles, see `markr serve --help`")
	}
	var profiles []*markscsv.Profile
	for _, e := range entries {
		name, isProfile := strings.CutSuffix(e.Name(), profileExtension)
		if !isProfile || e.IsDir() {
			continue
		}
		file := filepath.Join(dir, e.Name())
		content, err := readProfile(file)
		if err != nil {
			return nil, fmt.Errorf("read profiles: %w", err)
		}
		p, err := markscsv.ParseProfile(name, content)
		if err != nil {
			return nil, withHint(fmt.Errorf("%s: %w", file, err), "correct the profile or take it out of the directory; nothing was started")
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}

// readProfile reads one file, and no more of it than a profile may have with room for
// its layout.
func readProfile(file string) (content []byte, err error) {
	const bytesMax = 16 * markscsv.ProfileBytesMax
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content, err = io.ReadAll(io.LimitReader(f, bytesMax+1))
	if err == nil && len(content) > bytesMax {
		err = fmt.Errorf("%s: more than %d bytes", file, bytesMax)
	}
	return content, err
}
