package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"markr/engine/exam"
	"markr/engine/quality"
)

// describe reads the documents of a finding, and puts it in words.
func (l *look) describe(reader *documentReader, f *foundAt) (Finding, error) {
	finding := Finding{Kind: f.place.Kind, ScansTotal: len(f.arrivals)}
	for _, arrival := range f.arrivals[:min(len(f.arrivals), FoundScansMax)] {
		scan, err := reader.found(l.Test, arrival)
		if err != nil {
			return Finding{}, err
		}
		finding.Scans = append(finding.Scans, scan)
	}
	first := &finding.Scans[0]
	switch f.place.Kind {
	case quality.SeveralAvailable:
		finding.ScansTotal = f.tallied.Scans
		finding.Scans = finding.Scans[:1] // The other one was for comparison.
		finding.What = fmt.Sprintf("%s, from this one on, %s available; %s, the most, %s", scans(f.tallied.Scans, "has", "have"),
			exam.Marks(f.tallied.Value), scans(quality.Common(l.available).Scans, "has", "have"), exam.Marks(quality.Common(l.available).Value))
	case quality.DifferentQuestions:
		finding.ScansTotal = f.tallied.Scans
		finding.What = fmt.Sprintf("%s these questions: %s", scans(f.tallied.Scans, "has", "have"), differentQuestions(first, &finding.Scans[1]))
		finding.Scans = finding.Scans[:1]
	case quality.KeyConflict:
		finding.Question, finding.Response = first.spelled[f.key.Question], first.spelled[f.key.Response]
		finding.What = "is credited in the first of these scans and not in the second"
	case quality.DifferentNames:
		finding.What = differentNames(finding.Scans)
	case quality.DifferentAnswers:
		finding.What = differentAnswers(finding.Scans)
	case quality.LeadingZeros:
		finding.What = "differs only by leading zeros from " + enumerate(f.others)
	default:
		finding.Question, finding.What = ofOneScan(f.place.Kind, first)
	}
	if f.place.Kind <= quality.BadScannedOn {
		finding.Student = first.Student
	}
	return finding, nil
}

// ofOneScan is what is odd about a scan by itself, and the question it is about.
func ofOneScan(kind quality.Kind, scan *FoundScan) (question, what string) {
	switch kind {
	case quality.SumMismatch:
		var sum exam.Marks
		for i := range scan.answers {
			sum += max(scan.answers[i].Awarded, 0)
		}
		return "", fmt.Sprintf("has %v marks obtained, and answers that were awarded %v", scan.Obtained, sum)
	case quality.AwardedAbove:
		for i := range scan.answers {
			if a := &scan.answers[i]; a.Available != exam.MarksUnknown && a.Awarded > a.Available {
				return scan.spelled[a.Question], fmt.Sprintf("was awarded %v of %v marks", a.Awarded, a.Available)
			}
		}
	case quality.RepeatedQuestions:
		seen := make(map[exam.Text]bool)
		for i := range scan.answers {
			if q := scan.answers[i].Question; seen[q] {
				return scan.spelled[q], "is answered more than once"
			}
			seen[scan.answers[i].Question] = true
		}
	case quality.BadScannedOn:
		return "", fmt.Sprintf("has the date %q, which is none with a time and a zone", scan.ScannedOn)
	default: // Bad answers; the others are of more than one scan.
	}
	return "", "has an answer without a usable question or marks"
}

func scans(n int, one, many string) string {
	if n == 1 {
		return "1 scan " + one
	}
	return fmt.Sprintf("%d scans %s", n, many)
}

// enumeratedMax is how many things of a kind are named.
const enumeratedMax = 5

// enumerate names the first few.
func enumerate(names []string) string {
	if more := len(names) - enumeratedMax; more > 0 {
		return strings.Join(names[:enumeratedMax], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

func differentNames(all []FoundScan) string {
	var names []string
	for i := range all {
		if name := strings.TrimSpace(all[i].FirstName + " " + all[i].LastName); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "is named " + enumerate(names)
}

// differentAnswers names the questions that two scans answer in different ways.
func differentAnswers(all []FoundScan) string {
	type answers map[exam.Text]exam.Text
	var first answers
	names := make(map[exam.Text]string)
	differing := make(map[exam.Text]bool)
	for i := range all {
		given := make(answers)
		for n := range all[i].answers {
			question := all[i].answers[n].Question
			given[question], names[question] = all[i].answers[n].Response, all[i].spelled[question]
		}
		switch {
		case len(given) == 0:
			continue // It says nothing.
		case first == nil:
			first = given
		}
		for question := range names {
			was, in := first[question]
			is, also := given[question]
			if in != also || was != is {
				differing[question] = true
			}
		}
	}
	if len(differing) == 0 {
		return "answers a question in different ways" // One that is on the sheet twice.
	}
	var questions []string
	for _, question := range slices.Sorted(maps.Keys(differing)) {
		questions = append(questions, names[question])
	}
	return fmt.Sprintf("answers %s in different ways: %s", counted(len(questions), "question"), enumerate(questions))
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// differentQuestions says in which questions a sheet differs from what most have.
func differentQuestions(scan, common *FoundScan) string {
	var added, missing []string
	has := func(s *FoundScan, q exam.Text) bool {
		return slices.ContainsFunc(s.answers, func(a exam.Answer) bool { return a.Question == q })
	}
	for i := range scan.answers {
		if q := scan.answers[i].Question; !has(common, q) {
			added = append(added, scan.spelled[q])
		}
	}
	for i := range common.answers {
		if q := common.answers[i].Question; !has(scan, q) {
			missing = append(missing, common.spelled[q])
		}
	}
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "without "+enumerate(missing))
	}
	if len(added) > 0 {
		parts = append(parts, "with "+enumerate(added))
	}
	return fmt.Sprintf("%d in all, %s, which is not so on most sheets", len(scan.answers), strings.Join(parts, " and "))
}
