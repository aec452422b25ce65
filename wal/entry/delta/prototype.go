package delta

// prototype is what the first record of a text is compared with: a document as
// most scanners write it. It is part of the format: the streams of every stored
// document lean on its bytes.
//
//nolint:gochecknoglobals // A table, never written.
var prototype = []byte(`<?xml version="1.0" encoding="UTF-8" ?>
<mcq-test-results>
	<mcq-test-result scanned-on="2026-06-15T09:00:01+10:00">
		<first-name>Jane</first-name>
		<last-name>Austen</last-name>
		<student-number>521585128</student-number>
		<test-id>1234</test-id>
		<answer question="0" marks-available="1" marks-awarded="1">A</answer>
		<answer question="1" marks-available="1" marks-awarded="1">B</answer>
		<answer question="2" marks-available="1" marks-awarded="0">C</answer>
		<answer question="3" marks-available="1" marks-awarded="1">D</answer>
		<answer question="4" marks-available="1" marks-awarded="1">A</answer>
		<answer question="5" marks-available="1" marks-awarded="0">B</answer>
		<answer question="6" marks-available="1" marks-awarded="1">C</answer>
		<answer question="7" marks-available="1" marks-awarded="1">D</answer>
		<answer question="8" marks-available="1" marks-awarded="0">A</answer>
		<answer question="9" marks-available="1" marks-awarded="1">B</answer>
		<answer question="10" marks-available="1" marks-awarded="1">C</answer>
		<answer question="11" marks-available="1" marks-awarded="0">D</answer>
		<answer question="12" marks-available="1" marks-awarded="1">A</answer>
		<answer question="13" marks-available="1" marks-awarded="1">B</answer>
		<answer question="14" marks-available="1" marks-awarded="0">C</answer>
		<answer question="15" marks-available="1" marks-awarded="1">D</answer>
		<answer question="16" marks-available="1" marks-awarded="1">A</answer>
		<answer question="17" marks-available="1" marks-awarded="0">B</answer>
		<answer question="18" marks-available="1" marks-awarded="1">C</answer>
		<answer question="19" marks-available="1" marks-awarded="1">D</answer>
		<summary-marks available="20" obtained="14" />
	</mcq-test-result>
</mcq-test-results>
`)
