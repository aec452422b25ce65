package httpapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"markr/engine"
	"markr/engine/exam"
)

// A rollFormat is a form in which a roll is written.
type rollFormat struct {
	name      string   // in the parameter format, and the end of a file's name
	mediaType string   // of the answer
	accepted  []string // by which of them an Accept header asks for it
	isFile    bool     // a browser saves it
	head      func(dst []byte, a *rollAnswer) []byte
	row       func(dst []byte, test exam.TestID, row *engine.RollRow) []byte
	between   string // rows
	tail      func(dst []byte, a *rollAnswer) []byte
}

// rollFormats are the formats, the one that is written when anything will do first.
//
//nolint:gochecknoglobals // A table.
var rollFormats = []*rollFormat{
	{
		"json", "application/json",
		[]string{"application/json"},
		false,
		appendRollHead, appendRollObject, ",", appendRollTail,
	},
	{
		"ndjson", "application/x-ndjson",
		[]string{"application/x-ndjson", "application/ndjson", "application/jsonl"},
		true,
		appendNothing, appendRollObject, "\n", appendRollLineEnd,
	},
	{
		"csv", "text/csv; charset=utf-8; header=present",
		[]string{"text/csv"},
		true,
		appendRollColumns, appendRollRecord, "", appendNothing,
	},
}

// rollFormat is the format that a request asks for: by the parameter, for people with a
// browser, else by the Accept header.
func (r *request) rollFormat() (*rollFormat, error) {
	if name, given := r.query("format"); given {
		for _, f := range rollFormats {
			if f.name == name {
				return f, nil
			}
		}
		return nil, errParameter("format", "must be json, ndjson or csv")
	}
	accept := r.headerList(fasthttp.HeaderAccept)
	if len(accept) == 0 {
		return rollFormats[0], nil
	}
	var chosen *rollFormat
	best := 0
	for _, f := range rollFormats {
		if quality := f.quality(accept); quality > best {
			chosen, best = f, quality
		}
	}
	if chosen == nil {
		return nil, refuse(codeNotAcceptable, "The Accept header allows neither application/json nor application/x-ndjson nor text/csv.")
	}
	return chosen, nil
}

// quality is how much an Accept header likes a format, in thousandths: the most specific
// of the ranges that it is in says so (RFC 9110 section 12.5.1).
func (f *rollFormat) quality(accept []byte) int {
	quality, specific := 0, 0
	for element := range bytes.SplitSeq(accept, []byte(",")) {
		value, q, ok := parseWeighted(element)
		if !ok {
			continue
		}
		if s := f.matches(strings.ToLower(string(value))); s > specific || s > 0 && s == specific && q > quality {
			quality, specific = q, s
		}
	}
	return quality
}

// matches says how exactly a media range names a format; 0: not at all.
func (f *rollFormat) matches(mediaRange string) int {
	for _, name := range f.accepted {
		kind, _, _ := strings.Cut(name, "/")
		switch mediaRange {
		case name:
			return 3
		case kind + "/*":
			return 2
		case "*/*":
			return 1
		}
	}
	return 0
}

// A rollAnswer is a roll, or a part of it, while it is written.
type rollAnswer struct {
	roll   *engine.Roll
	reader *engine.RollReader
	format *rollFormat
	first  int    // row
	left   int    // rows
	next   string // cursor; empty: there is no more
	state  rollState
}

// rollState is what of a rollAnswer is written.
type rollState uint8

const (
	rollNothing rollState = iota
	rollHead
	rollRows // at least one
	rollAll
)

// appendAll appends all of the answer.
func (a *rollAnswer) appendAll(dst []byte) ([]byte, error) {
	for {
		var err error
		if dst, err = a.appendSome(dst); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return dst, err
		}
	}
}

// length is how many bytes the answer has.
func (a *rollAnswer) length() (length int, err error) {
	var piece []byte
	for err == nil {
		piece, err = a.appendSome(piece[:0])
		length += len(piece)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return length, err
}

// appendSome appends the next piece: the head, one row, or what ends it. After that the
// error is io.EOF.
func (a *rollAnswer) appendSome(dst []byte) ([]byte, error) {
	switch {
	case a.state == rollAll:
		return dst, io.EOF
	case a.state == rollNothing:
		a.state = rollHead
		return a.format.head(dst, a), nil
	case a.left == 0:
		dst = a.format.tail(dst, a)
		a.state = rollAll
		return dst, nil
	}
	row, err := a.reader.Next()
	if err != nil {
		return dst, err
	}
	if a.state == rollRows {
		dst = append(dst, a.format.between...)
	}
	a.state = rollRows
	a.left--
	return a.format.row(dst, a.roll.Test.ID, &row), nil
}

func appendNothing(dst []byte, _ *rollAnswer) []byte { return dst }

func appendRollHead(dst []byte, a *rollAnswer) []byte {
	rule := a.roll.Rule.Rule
	dst = append(dst, `{"test_id":`...)
	dst = appendString(dst, string(a.roll.Test.ID))
	dst = append(dst, `,"position":`...)
	dst = strconv.AppendUint(dst, uint64(a.roll.Position), 10)
	dst = append(dst, `,"scoring":"`...)
	dst = append(dst, rule.Policy.String()...)
	dst = append(dst, `","denominator":"`...)
	dst = append(dst, rule.Denominator.String()...)
	dst = append(dst, `","available":`...)
	dst = append(dst, a.roll.Test.Available.String()...)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendInt(dst, int64(a.roll.Len()), 10)
	return append(dst, `,"students":[`...)
}

func appendRollTail(dst []byte, a *rollAnswer) []byte {
	dst = append(dst, `],"next_cursor":`...)
	if a.next == "" {
		return append(dst, "null}"...)
	}
	dst = append(dst, '"')
	dst = append(dst, a.next...) // base64url
	return append(dst, `"}`...)
}

// appendRollLineEnd ends the last line, if there is one.
func appendRollLineEnd(dst []byte, a *rollAnswer) []byte {
	if a.state == rollRows {
		dst = append(dst, '\n')
	}
	return dst
}

func appendRollObject(dst []byte, _ exam.TestID, row *engine.RollRow) []byte {
	dst = append(dst, `{"student":`...)
	dst = appendString(dst, row.Student)
	dst = append(dst, `,"obtained":`...)
	dst = append(dst, row.Obtained.String()...)
	dst = append(dst, `,"available":`...)
	dst = append(dst, row.Available.String()...)
	dst = append(dst, `,"percentage":`...)
	dst = appendPercentage(dst, row.Percentage)
	dst = append(dst, `,"percentile_rank":`...)
	dst = appendPercentage(dst, row.PercentileRank)
	dst = append(dst, `,"import_id":"`...)
	dst = append(dst, row.Import.String()...)
	dst = append(dst, `","position":`...)
	dst = strconv.AppendUint(dst, uint64(row.Position), 10)
	dst = append(dst, `,"record":`...)
	dst = strconv.AppendInt(dst, int64(row.Record), 10)
	return append(dst, '}')
}

// The columns of a table of students. The first four are those that an import of a table
// of marks reads, so that an export can be imported elsewhere.
func appendRollColumns(dst []byte, _ *rollAnswer) []byte {
	return append(dst, "test-id,student-number,available,obtained,percentage,percentile-rank,import-id,position,record\r\n"...)
}

func appendRollRecord(dst []byte, test exam.TestID, row *engine.RollRow) []byte {
	dst = appendField(dst, []byte(test))
	dst = append(dst, ',')
	dst = appendField(dst, row.Student)
	dst = append(dst, ',')
	dst = append(dst, row.Available.String()...)
	dst = append(dst, ',')
	dst = append(dst, row.Obtained.String()...)
	dst = append(dst, ',')
	dst = appendPercentage(dst, row.Percentage)
	dst = append(dst, ',')
	dst = appendPercentage(dst, row.PercentileRank)
	dst = append(dst, ',')
	dst = append(dst, row.Import.String()...)
	dst = append(dst, ',')
	dst = strconv.AppendUint(dst, uint64(row.Position), 10)
	dst = append(dst, ',')
	dst = strconv.AppendInt(dst, int64(row.Record), 10)
	return append(dst, "\r\n"...)
}

// appendField appends a text as a field of a table (RFC 4180).
//
// A spreadsheet takes a field that begins like a formula for one, in quotes or not, and
// a formula can send what is on the sheet to somebody. Ids are texts that strangers have
// chosen, so one that begins with = + - @ or one of their full-width twins gets an
// apostrophe in front, which spreadsheets take for the mark of a text. So does one that
// begins with an apostrophe: whoever reads a table takes one away where one is, and has
// every id as it was.
func appendField(dst, text []byte) []byte {
	first, _ := utf8.DecodeRune(text)
	formula := strings.ContainsRune("=+-@'\t\r\n＝＋－＠", first)
	quoted := bytes.ContainsAny(text, "\",\r\n;\t")
	if !quoted {
		if formula {
			dst = append(dst, '\'')
		}
		return append(dst, text...)
	}
	dst = append(dst, '"')
	if formula {
		dst = append(dst, '\'')
	}
	dst = append(dst, bytes.ReplaceAll(text, []byte(`"`), []byte(`""`))...)
	return append(dst, '"')
}
