package httpapi

import "time"

// deadlineShare is the part of a timeout by which it may come late: an eighth.
const deadlineShare = 8

// A deadline is when a connection's reads or writes have to be over. The core moves
// it three times for each request, and each time the runtime moves a timer, which
// costs as much as finding a route; and hardly ever does anybody wait so long. So
// moving it is only noted, and carried out before the next read or write, if that
// comes, and only if the timer is not about right: not before the moment asked for,
// and not later than slack after it. Whoever is slow is cut off all the same, up to
// slack later.
type deadline struct {
	slack time.Duration
	asked time.Time // zero: none
	armed time.Time // what the timer says; zero: none
}

// due says whether the timer has to be moved, and to when.
func (d *deadline) due() (moment time.Time, move bool) {
	switch {
	case d.asked.IsZero() && d.armed.IsZero():
		return d.armed, false
	case d.asked.IsZero():
		d.armed = d.asked
		return d.armed, true
	case !d.armed.IsZero() && !d.armed.Before(d.asked) && d.armed.Sub(d.asked) <= d.slack:
		return d.armed, false
	}
	d.armed = d.asked.Add(d.slack)
	return d.armed, true
}

// SetReadDeadline is net.Conn's.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.reading.asked = t
	return nil
}

// SetWriteDeadline is net.Conn's.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writing.asked = t
	return nil
}

// SetDeadline is net.Conn's.
func (c *conn) SetDeadline(t time.Time) error {
	c.reading.asked, c.writing.asked = t, t
	return nil
}

// Read is net.Conn's.
func (c *conn) Read(p []byte) (int, error) {
	if moment, move := c.reading.due(); move {
		if err := c.Conn.SetReadDeadline(moment); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// Write is net.Conn's.
func (c *conn) Write(p []byte) (int, error) {
	if moment, move := c.writing.due(); move {
		if err := c.Conn.SetWriteDeadline(moment); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}
