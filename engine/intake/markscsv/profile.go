package markscsv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"markr/engine/exam"
)

// ProfileBytesMax is the longest profile, spelled out: it is kept with every document
// that is read by it. One that names all it can takes some 600 bytes.
const ProfileBytesMax = 2048

// A Profile says which column of a table is what, for the exports of one program.
// Files of profiles are its JSON. DESIGN.md, one directory up, shows some.
//
// A sheet's marks come from the columns Available and Obtained or, without them, from
// Questions.
type Profile struct {
	// Header is "present" (default) or "absent". Without a header line columns are
	// named by their numbers.
	Header string `json:"header,omitempty"`
	// Separator is "," or ";" or a tab; by default the one that the first line shows.
	Separator string `json:"separator,omitempty"`

	TestID        Source  `json:"test-id"`
	StudentNumber Source  `json:"student-number"`
	FirstName     *Source `json:"first-name,omitempty"`
	LastName      *Source `json:"last-name,omitempty"`
	ScannedOn     *Source `json:"scanned-on,omitempty"`
	Available     *Source `json:"available,omitempty"`
	Obtained      *Source `json:"obtained,omitempty"`

	Questions *Questions `json:"questions,omitempty"`
	// KeyRow is the line that holds the right responses, PointsRow the one that holds
	// the marks available for each question. A test may have lines of its own.
	KeyRow    *Row `json:"key-row,omitempty"`
	PointsRow *Row `json:"points-row,omitempty"`

	name    string
	spelled string
}

// A Source is a column, by its name in the header line or by its number from 1, or a
// text that is the same for the whole table.
type Source struct {
	Column string `json:"column,omitempty"`
	Number int    `json:"number,omitempty"`
	Text   string `json:"text,omitempty"` // of test-id only
}

// Questions says where the answers are: the marks awarded for each question, or the
// response and the key.
type Questions struct {
	Response *Series `json:"response,omitempty"`
	// Key has the right response of each question, for this sheet; KeyRow is another
	// way to give it. A response is right if it is the same, but for case.
	Key     *Series `json:"key,omitempty"`
	Awarded *Series `json:"awarded,omitempty"`
	// Available has the marks available for each question; PointsRow and Marks are
	// other ways to give them.
	Available *Series `json:"available,omitempty"`
	// Marks are the marks available for every question. With a key the default is 1.
	Marks string `json:"marks,omitempty"`
}

// A Series is one column for each question: those whose names have the question's
// number in the place of "#", as in "Q#", or those that stand at every Step (default
// 1) from From to To (default the last), counting from 1.
type Series struct {
	Names string `json:"names,omitempty"`
	From  int    `json:"from,omitempty"`
	To    int    `json:"to,omitempty"`
	Step  int    `json:"step,omitempty"`
}

// A Row is a line that is no sheet, by what stands in the place of its student number
// or by its number, counting lines that are not blank, from 1, without the header line.
type Row struct {
	StudentNumber string `json:"student-number,omitempty"`
	Line          int    `json:"line,omitempty"`
}

// ProfileName is what the name of a profile must be.
const profileName = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`

// ParseProfile reads a profile and checks it. The error says what is wrong with it,
// for whoever wrote it.
func ParseProfile(name string, content []byte) (*Profile, error) {
	if !regexp.MustCompile(profileName).MatchString(name) {
		return nil, fmt.Errorf("profile %q: a name has 1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first", name)
	}
	p := &Profile{}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("profile %s: something follows its end", name)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	var spelled bytes.Buffer
	encoder := json.NewEncoder(&spelled)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p); err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	p.name, p.spelled = name, strings.TrimSuffix(spelled.String(), "\n")
	if len(p.spelled) > ProfileBytesMax {
		return nil, fmt.Errorf("profile %s: %d bytes, at most %d", name, len(p.spelled), ProfileBytesMax)
	}
	return p, nil
}

// Name is the profile's name.
func (p *Profile) Name() string { return p.name }

// Spelled is the whole profile in one line: what is kept with a document, and what
// [ParseProfile] makes the same profile of.
func (p *Profile) Spelled() string { return p.spelled }

func (p *Profile) check() error {
	switch {
	case p.Header != "" && p.Header != headerPresent && p.Header != headerAbsent:
		return fmt.Errorf("header %q: must be present or absent", p.Header)
	case p.Separator != "" && !strings.Contains(separatorsAll, p.Separator) || len(p.Separator) > 1:
		return fmt.Errorf("separator %q: must be a comma, a semicolon or a tab", p.Separator)
	case (p.Available == nil) != (p.Obtained == nil):
		return errors.New("available and obtained: there must be both or none")
	case p.Available == nil && p.Questions == nil:
		return errors.New("there must be available and obtained, or questions")
	case p.TestID.Text != "" && (p.TestID.Column != "" || p.TestID.Number != 0):
		return errors.New("test-id: has both a text and a column")
	}
	if p.TestID.Text != "" {
		if err := exam.CheckID([]byte(p.TestID.Text)); err != nil || strings.TrimSpace(p.TestID.Text) != p.TestID.Text {
			return fmt.Errorf("test-id: text %q is not an id", p.TestID.Text)
		}
	} else if err := p.checkSource(columnTest, &p.TestID); err != nil {
		return err
	}
	for c, source := range p.sources() {
		if source != nil && column(c) != columnTest {
			if err := p.checkSource(column(c), source); err != nil {
				return err
			}
		}
	}
	return p.checkQuestions()
}

// sources are the columns that p names, nil where it names none.
func (p *Profile) sources() [columns]*Source {
	return [columns]*Source{&p.TestID, &p.StudentNumber, p.Available, p.Obtained, p.FirstName, p.LastName, p.ScannedOn}
}

func (p *Profile) checkSource(c column, source *Source) error {
	switch {
	case (source.Column == "") == (source.Number == 0), source.Text != "" && c != columnTest:
		return fmt.Errorf("%v: must have a column or a number", c)
	case source.Number < 0 || source.Number > fieldsMax:
		return fmt.Errorf("%v: number %d: must be 1 to %d", c, source.Number, fieldsMax)
	case source.Column != "" && !p.hasHeader():
		return fmt.Errorf("%v: column %q: without a header line columns have numbers", c, source.Column)
	}
	return nil
}

func (p *Profile) checkQuestions() error {
	q := p.Questions
	if q == nil {
		if p.KeyRow != nil || p.PointsRow != nil {
			return errors.New("key-row and points-row are for questions, and there are none")
		}
		return nil
	}
	for _, series := range [...]*Series{q.Response, q.Key, q.Awarded, q.Available} {
		if err := p.checkSeries(series); err != nil {
			return err
		}
	}
	for name, row := range map[string]*Row{"key-row": p.KeyRow, "points-row": p.PointsRow} {
		if row != nil && ((row.StudentNumber == "") == (row.Line == 0) || row.Line < 0) {
			return fmt.Errorf("%s: must have a student-number or a line", name)
		}
	}
	keys := count(q.Key != nil, p.KeyRow != nil)
	points := count(q.Available != nil, p.PointsRow != nil, q.Marks != "")
	switch {
	case p.KeyRow != nil && p.PointsRow != nil && *p.KeyRow == *p.PointsRow:
		return errors.New("key-row and points-row are the same line")
	case points > 1:
		return errors.New("questions: marks available come from available, points-row or marks, one of them")
	case q.Awarded != nil && keys > 0, q.Awarded == nil && (q.Response == nil || keys != 1):
		return errors.New("questions: there must be awarded, or response and a key (key or key-row)")
	case q.Awarded != nil && points == 0:
		return errors.New("questions: awarded needs the marks available: available, points-row or marks")
	}
	if q.Marks != "" {
		if marks, err := exam.ParseMarks([]byte(q.Marks)); err != nil || marks == 0 {
			return fmt.Errorf("questions: marks %q: must be a number of marks above 0", q.Marks)
		}
	}
	return nil
}

func (p *Profile) checkSeries(s *Series) error {
	switch {
	case s == nil:
		return nil
	case (s.Names == "") == (s.From == 0):
		return errors.New("questions: a series of columns must have names or from")
	case s.Names != "" && (strings.Count(s.Names, "#") != 1 || s.To != 0 || s.Step != 0):
		return fmt.Errorf("questions: names %q: must have one # for the question's number, and neither to nor step", s.Names)
	case s.Names != "" && !p.hasHeader():
		return fmt.Errorf("questions: names %q: without a header line columns have numbers", s.Names)
	case s.Names == "" && (s.From < 1 || s.To != 0 && s.To < s.From || s.To > fieldsMax || s.From > fieldsMax || s.Step < 0):
		return fmt.Errorf("questions: columns from %d to %d by %d: must be 1 to %d, in this order", s.From, s.To, s.Step, fieldsMax)
	}
	return nil
}

func count(conditions ...bool) int {
	n := 0
	for _, is := range conditions {
		if is {
			n++
		}
	}
	return n
}
