package exam

import (
	"math"
	"time"
)

// ParseTimestamp reads an RFC 3339 date and time with its zone, such as
// 2017-12-04T12:12:10+11:00, as Unix nanoseconds. It does not allocate, as
// package time does for zones off the full hour, and takes neither a comma nor a
// zone of a day. Years whose nanoseconds do not fit are refused, and so are leap
// seconds and small letters.
func ParseTimestamp(text []byte) (nanoseconds int64, ok bool) {
	const shape = "0000-00-00T00:00:00"
	if len(text) <= len(shape) {
		return 0, false
	}
	for i := range len(shape) {
		if isDigit := text[i] >= '0' && text[i] <= '9'; isDigit != (shape[i] == '0') || !isDigit && text[i] != shape[i] {
			return 0, false
		}
	}
	two := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	fraction, zone, ok := parseFraction(text[len(shape):])
	if !ok || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	offsetSeconds, ok := parseZone(zone)
	if !ok {
		return 0, false
	}
	date := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if date.Month() != time.Month(month) {
		return 0, false // A day that the month has not, such as the 31st of June.
	}
	seconds := date.Unix() - int64(offsetSeconds)
	const secondsMax = math.MaxInt64/int64(time.Second) - 1
	if seconds > secondsMax || seconds < -secondsMax {
		return 0, false
	}
	return seconds*int64(time.Second) + int64(fraction), true
}

// parseFraction reads an optional fraction of a second, as nanoseconds, and
// gives what is behind it. Digits beyond nanoseconds are dropped.
func parseFraction(text []byte) (nanoseconds int, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '.' {
		return 0, text, true
	}
	i, unit := 1, int(time.Second)
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		unit /= 10
		nanoseconds += int(text[i]-'0') * unit
	}
	return nanoseconds, text[i:], i > 1
}

// parseZone reads Z, or a sign, hours, a colon and minutes.
func parseZone(text []byte) (seconds int, ok bool) {
	if string(text) == "Z" {
		return 0, true
	}
	if len(text) != len("+00:00") || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return 0, false
	}
	for _, i := range [...]int{1, 2, 4, 5} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	hours, minutes := int(text[1]-'0')*10+int(text[2]-'0'), int(text[4]-'0')*10+int(text[5]-'0')
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds = (hours*60 + minutes) * 60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
