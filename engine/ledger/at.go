package ledger

// At is a row, from 0 to Len()-1.
func (v View) At(i int) Row {
	chunk, at := i>>chunkBits, i&chunkMask
	k := &v.rows.chunks[chunk][at]
	row := Row{Student: k.student, Obtained: k.obtained, Arrival: k.arrival}
	if len(v.available.chunks) > 0 {
		row.Available = v.available.chunks[chunk][at]
	}
	if len(v.scannedOn.chunks) > 0 {
		row.ScannedOn = v.scannedOn.chunks[chunk][at]
	}
	if len(v.highest.chunks) > 0 {
		row.Highest = v.highest.chunks[chunk][at]
	}
	return row
}

// At is a number, from 0 to Len()-1. The bytes are not the caller's to change.
func (v StudentsView) At(i int) []byte {
	return v.long.number(&v.numbers.chunks[i>>chunkBits][i&chunkMask])
}
