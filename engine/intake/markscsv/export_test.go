package markscsv

// FieldsMax is how many fields a line may have.
const FieldsMax = fieldsMax

// Lines reads a text in UTF-8 with the scanner alone, and says whether it is a table.
func Lines(text []byte, separator byte) ([][]string, bool) {
	s := &scanner{text: text, separator: separator, encoding: "UTF-8"}
	var lines [][]string
	for s.next() {
		var line []string
		for _, f := range s.fields {
			var said []byte
			for i := f.start; i < f.end; i++ {
				said = append(said, text[i])
				if f.doubled && text[i] == '"' {
					i++
				}
			}
			line = append(line, string(said))
		}
		lines = append(lines, line)
	}
	return lines, !s.broken.found()
}
