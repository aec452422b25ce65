package mcqxml_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// layout writes well-formed scanner documents in as many ways as XML allows.
type layout struct{ *rapid.T }

// randomDocument draws a document. Most are good; some lack or repeat something,
// or hold a bad value.
func randomDocument(t *rapid.T) string {
	l := layout{t}
	var b strings.Builder
	if l.one(2) {
		b.WriteString("<?xml version=\"1.0\"" + l.pick("", " encoding='UTF-8'", " encoding=\"utf-8\" standalone=\"yes\"") + l.pick("", " ") + "?>")
	}
	b.WriteString(l.between(false))
	b.WriteString("<mcq-test-results" + l.attributes() + ">" + l.between(true))
	for range rapid.IntRange(0, 4).Draw(t, "records") {
		b.WriteString(l.record() + l.between(true))
	}
	b.WriteString("</mcq-test-results" + l.space(0) + ">" + l.between(false))
	return b.String()
}

// record writes a record.
func (l layout) record() string {
	children := []string{
		l.element("student-number", l.text(l.id())), l.element("test-id", l.text(l.id())), l.summary(),
	}
	if l.one(15) {
		children = append(children, children[rapid.IntRange(0, 2).Draw(l.T, "repeated")])
	}
	if l.one(15) {
		children = slices.Delete(children, 0, 1)
	}
	if l.one(2) {
		children = append(children, l.element("first-name", l.text("Jane")), l.element("last-name", l.text("O'Neill & <Søn>")))
	}
	for range rapid.IntRange(0, 5).Draw(l.T, "answers") {
		children = append(children, l.answer())
	}
	if l.one(2) {
		children = rapid.Permutation(children).Draw(l.T, "order")
	}
	var scanned []string
	if l.one(2) {
		scanned = append(scanned, "scanned-on", l.pick("2017-12-04T12:12:10+11:00", "2017-12-04T12:12:10.25-03:30", "yesterday", ""))
	}
	var b strings.Builder
	b.WriteString("<mcq-test-result" + l.attributes(scanned...) + ">" + l.between(true))
	for _, child := range children {
		b.WriteString(child + l.between(true))
	}
	return b.String() + "</mcq-test-result>"
}

func (l layout) summary() string {
	marks := func() string {
		return l.pick("0", "1", "13", "20", "20.5", "007", "12.125", "1000000", "x", "-1", "", "20.0001")
	}
	attributes := []string{"available", l.pick("20", "30.5", marks()), "obtained", l.pick("0", "13", "19.999", marks())}
	switch {
	case l.one(2):
		attributes = []string{attributes[2], attributes[3], attributes[0], attributes[1]}
	case l.one(20):
		attributes = attributes[:2]
	case l.one(20):
		attributes = attributes[2:]
	}
	if l.one(2) {
		return "<summary-marks" + l.attributes(attributes...) + "/>"
	}
	return "<summary-marks" + l.attributes(attributes...) + ">" + l.between(true) + "</summary-marks" + l.space(0) + ">"
}

func (l layout) answer() string {
	number := rapid.IntRange(0, 12).Draw(l.T, "question")
	if l.one(2) {
		// As scanners write it.
		return fmt.Sprintf(`<answer question="%d" marks-available="%d" marks-awarded="%d">%s</answer>`,
			number, number%3, number%2, l.pick("A", "B", "", "AB"))
	}
	attributes := []string{"question", fmt.Sprint(number), "marks-available", "1", "marks-awarded", l.pick("0", "1", "2", "x", "0.5")}
	if l.one(4) {
		attributes = attributes[2:]
	}
	return "<answer" + l.attributes(attributes...) + ">" + l.text(l.pick("A", "B", "")) + "</answer>"
}

// element writes an element with that content.
func (l layout) element(name, content string) string {
	return "<" + name + l.attributes() + ">" + content + "</" + name + l.space(0) + ">"
}

// id draws what may be an id.
func (l layout) id() string {
	return l.pick("1", "002299", "521585128", "9863", "a b", "x&y<z>\"'", "Ünï-¢ödé 中😀", "]]>", "")
}

// text writes text in pieces, with what does not belong to it between them.
func (l layout) text(text string) string {
	if l.one(2) && !strings.ContainsAny(text, "<&]") {
		return text
	}
	var b strings.Builder
	noise := func() {
		if l.one(4) {
			b.WriteString(l.pick("<!-- 7 -->", "<?p 7?>", "<x>7</x>", "<x/>", "<![CDATA[]]>"))
		}
	}
	b.WriteString(l.space(0))
	noise()
	for _, r := range text {
		b.WriteString(l.character(r, "<&>"))
		noise()
	}
	b.WriteString(l.space(0))
	return b.String()
}

// character writes one character; those in special may not stand for themselves.
func (l layout) character(r rune, special string) string {
	ways := []string{fmt.Sprintf("&#%d;", r), fmt.Sprintf("&#x%x;", r), fmt.Sprintf("&#x%04X;", r)}
	if name, ok := map[rune]string{'<': "&lt;", '>': "&gt;", '&': "&amp;", '\'': "&apos;", '"': "&quot;"}[r]; ok {
		ways = append(ways, name)
	}
	if !strings.ContainsRune(special, '"') { // not in an attribute
		ways = append(ways, "<![CDATA["+string(r)+"]]>")
	}
	if !strings.ContainsRune(special, r) && !l.one(4) {
		return string(r)
	}
	return l.pick(ways...)
}

// attributes writes attributes, given as name, value, …, with others between.
func (l layout) attributes(known ...string) string {
	var b strings.Builder
	unknown := func(name string) {
		if l.one(6) {
			b.WriteString(l.space(1) + name + "=" + l.pick(`""`, `'>'`, `"available='1'"`, `'&amp;'`))
		}
	}
	unknown("first")
	for i := 0; i < len(known); i += 2 {
		quote := l.pick(`"`, `'`)
		b.WriteString(l.space(1) + known[i] + l.space(0) + "=" + l.space(0) + quote + l.space(0))
		for _, r := range known[i+1] {
			b.WriteString(l.character(r, `<&"'`))
		}
		b.WriteString(l.space(0) + quote)
		unknown(fmt.Sprintf("after%d", i))
	}
	return b.String() + l.space(0)
}

// between writes what may stand between elements.
func (l layout) between(inside bool) string {
	var b strings.Builder
	for range rapid.IntRange(0, 2).Draw(l.T, "between") {
		things := []string{"\n", "\t", " \r\n", "<!-- <student-number>7</student-number> -->", "<?p <answer/> ?>"}
		if inside {
			things = append(things, "stray &lt; text", "<![CDATA[<answer/>]]>", "<x:y xmlns:x='z'><student-number>7</student-number></x:y>",
				"<mcq-test-results/>", "<Summary-Marks available='1'/>", "<unknown><mcq-test-result/></unknown>")
		}
		b.WriteString(l.pick(things...))
	}
	return b.String()
}

// space writes white space, at least that much.
func (l layout) space(least int) string {
	return strings.Repeat(l.pick(" ", "\n", "\t", "\r\n"), max(least, rapid.IntRange(-4, 2).Draw(l.T, "space")))
}

func (l layout) one(in int) bool { return rapid.IntRange(1, in).Draw(l.T, "chance") == 1 }

func (l layout) pick(from ...string) string { return rapid.SampledFrom(from).Draw(l.T, "pick") }
