package cohort

import (
	"strconv"
	"time"
)

// The layout is that of a real scanner's output: tabs, one element in a line, the
// summary last, a blank before the ends of the declaration and the summary.
const (
	documentOpening = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<mcq-test-results>\n"
	documentClosing = "</mcq-test-results>\n"
)

// appendSheet appends one mcq-test-result. Nothing in it needs escaping: names
// and ids are ours.
func (c *Cohort) appendSheet(dst []byte, s *Sheet) []byte {
	dst = append(dst, "\t<mcq-test-result scanned-on=\""...)
	dst = s.ScannedOn.AppendFormat(dst, time.RFC3339)
	dst = append(dst, "\">\n\t\t<first-name>"...)
	dst = append(dst, s.FirstName...)
	dst = append(dst, "</first-name>\n\t\t<last-name>"...)
	dst = append(dst, s.LastName...)
	dst = append(dst, "</last-name>\n\t\t<student-number>"...)
	dst = append(dst, s.StudentNumber...)
	dst = append(dst, "</student-number>\n\t\t<test-id>"...)
	dst = append(dst, s.TestID...)
	dst = append(dst, "</test-id>\n"...)
	for _, a := range s.Answers {
		dst = append(dst, c.openings[a.Question]...)
		dst = append(dst, byte('0'+a.Awarded), '"', '>')
		if a.Choice != 0 {
			dst = append(dst, a.Choice)
		}
		dst = append(dst, "</answer>\n"...)
	}
	dst = append(dst, "\t\t<summary-marks available=\""...)
	dst = strconv.AppendInt(dst, int64(s.Available), 10)
	dst = append(dst, "\" obtained=\""...)
	dst = strconv.AppendInt(dst, int64(s.Obtained), 10)
	return append(dst, "\" />\n\t</mcq-test-result>\n"...)
}
