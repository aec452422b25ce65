package mcqxml_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// The layouts that generate knows.
const (
	usualLayout  = "usual"  // as scanners print it
	otherLayout  = "other"  // other quotes, other order, no line ends: nothing of it has a short cut
	joinedLayout = "joined" // ids in pieces, references, carriage returns
)

// generate writes a document of that many records, of twenty answers each. Ids
// count up from 1000; the test is always 9863; of 20 marks, record i obtains i
// modulo 21.
func generate(random *rand.Rand, records int, layout string) []byte {
	var b bytes.Buffer
	b.Grow(records * 1800)
	names := []string{"Jane", "KJ", "Alysander", "Søren", "Penelope", "O&apos;Neill"}
	name := func() string { return names[random.IntN(len(names))] }
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<mcq-test-results>\n")
	for record := range records {
		id, awarded := 1000+record, record%21
		switch layout {
		case usualLayout:
			fmt.Fprintf(&b, "\t<mcq-test-result scanned-on=\"2017-12-%02dT%02d:12:10+11:00\">\n", 1+record%28, record%24)
			fmt.Fprintf(&b, "\t\t<first-name>%s</first-name>\n\t\t<last-name>%s</last-name>\n", name(), name())
			fmt.Fprintf(&b, "\t\t<student-number>%d</student-number>\n\t\t<test-id>9863</test-id>\n", id)
		case otherLayout:
			fmt.Fprintf(&b, "<mcq-test-result id='%d' scanned-on='2017-12-%02dT%02d:12:10Z'>", record, 1+record%28, record%24)
			fmt.Fprintf(&b, "<test-id>9863</test-id><last-name>%s</last-name>", name())
			fmt.Fprintf(&b, "<first-name>%s</first-name><student-number >%d</student-number>", name(), id)
		case joinedLayout:
			fmt.Fprintf(&b, "  <mcq-test-result>\r\n    <student-number>%d<!-- - -->%03d</student-number>\r\n", id/1000, id%1000)
			fmt.Fprintf(&b, "    <test-id>98<![CDATA[6]]>&#51;</test-id>\r\n")
		}
		for question := range 20 {
			mark := 0
			if question < awarded {
				mark = 1
			}
			letter := 'A' + random.IntN(4)
			if layout == usualLayout {
				fmt.Fprintf(&b, "\t\t<answer question=\"%d\" marks-available=\"1\" marks-awarded=\"%d\">%c</answer>\n", question, mark, letter)
			} else {
				fmt.Fprintf(&b, "<answer marks-awarded='%d' question='%d' marks-available='1'>%c</answer>", mark, question, letter)
			}
		}
		if layout == usualLayout {
			fmt.Fprintf(&b, "\t\t<summary-marks available=\"20\" obtained=\"%d\" />\n\t</mcq-test-result>\n", awarded)
		} else {
			fmt.Fprintf(&b, "<summary-marks obtained='%d' available='20'></summary-marks></mcq-test-result>", awarded)
		}
	}
	b.WriteString("</mcq-test-results>\n")
	return b.Bytes()
}
