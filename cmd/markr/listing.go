package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// A listing is a list of the server's, which is asked for page by page.
type listing struct {
	path   []string
	query  url.Values // cursors are added to it
	member string     // of a page, that has the items
	header []any      // of the table for people
	begin  func(page []byte) error
	row    func(t *table, item []byte) error
}

// show prints the list: as JSON an item a line, as the server wrote it; for people a table,
// below what begin, which may be nil, prints of the first page.
func (l *listing) show(ctx context.Context, std streams, c *client, asJSON bool) error {
	t := newTable(std.out)
	for first := true; ; first = false {
		body, err := c.get(ctx, c.url(l.query, l.path...))
		if err != nil {
			return err
		}
		items, next, err := l.page(body)
		if err != nil {
			return err
		}
		if first && !asJSON {
			if l.begin != nil {
				if err := l.begin(body); err != nil {
					return err
				}
			}
			t.row(l.header...)
		}
		for _, item := range items {
			if asJSON {
				_, err = fmt.Fprintf(std.out, "%s\n", item)
			} else {
				err = l.row(t, item)
			}
			if err != nil {
				return err
			}
		}
		if next == nil {
			return t.flush()
		}
		l.query.Set("cursor", *next)
	}
}

// page takes a page apart.
func (l *listing) page(body []byte) (items []json.RawMessage, next *string, err error) {
	var members map[string]json.RawMessage
	if err := readAnswer(body, &members); err != nil {
		return nil, nil, err
	}
	if err := readAnswer(members[l.member], &items); err != nil {
		return nil, nil, err
	}
	return items, next, readAnswer(members["next_cursor"], &next)
}

// readAnswer reads JSON of the server's.
func readAnswer(text []byte, value any) error {
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}
