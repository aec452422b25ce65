package main_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"markr/bench/cohort"
	"markr/bench/load"
	markr "markr/cmd/markr"
)

const (
	opening = "<mcq-test-results>"
	closing = "</mcq-test-results>"
)

// paperOf is a document about a test, with so many students.
func paperOf(test string, students int) []byte {
	var b strings.Builder
	b.WriteString(opening)
	for student := range students {
		b.WriteString(sheetOf(test, fmt.Sprintf("%0*d", crowdDigits, student)))
	}
	return []byte(b.String() + closing)
}

func sheetOf(test, student string) string {
	return "<mcq-test-result><student-number>" + student + "</student-number><test-id>" + test + "</test-id>" +
		`<summary-marks available="20" obtained="13"/></mcq-test-result>`
}

// paperOfRecords is a document as scanners write it, with so many records.
func paperOfRecords(seed uint64, records int) []byte {
	options := cohort.Default()
	options.Seed, options.RecordsPerDocument, options.Students = seed, records, records
	people, err := cohort.New(options)
	if err != nil {
		panic(err) // The options are right, or no test runs.
	}
	return people.AppendDocument(nil, 0)
}

func gzipped(t tester, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// newCrowdFeed feeds a connection with compressed documents, each with a student who
// is in no other: the first of two gzip members holds one record as it stands, in
// which the student's number is written anew for every request; rest is the second.
func newCrowdFeed(target load.Target, rest []byte, connection int) load.Feed {
	number := strings.Repeat("0", crowdDigits)
	plain := opening + sheetOf(crowdTest, number)
	first := stored(plain)
	head := fmt.Sprintf("POST /import HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n",
		target.Host, markr.MediaType, len(first)+len(rest))
	request := append(append([]byte(head), first...), rest...)
	from := len(head) + bytes.Index(first, []byte(plain))
	content := request[from : from+len(plain)]
	digits := content[strings.Index(plain, number):][:crowdDigits]
	sum := request[from+len(plain):]
	sum = sum[bytes.Index(sum, binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(plain)))):][:crc32.Size]
	const perConnection = 1_000_000
	sent := 0
	return func() []byte {
		copy(digits, fmt.Appendf(nil, "%0*d", crowdDigits, connection*perConnection+sent))
		binary.LittleEndian.PutUint32(sum, crc32.ChecksumIEEE(content))
		sent++
		return request
	}
}

// stored is a gzip member that holds text as it stands.
func stored(text string) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, flate.NoCompression)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // Nothing can fail in memory.
	}
	return b.Bytes()
}
