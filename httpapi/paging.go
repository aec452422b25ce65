package httpapi

import (
	"net/url"
	"strconv"
)

// Lists are given out page by page: limit says how many items a page has, cursor where it
// goes on. See cursor.go for what a cursor is.

// pageAsked reads both: the limit, and where to go on, which is zero at the beginning.
func pageAsked[K any](r *request, parse func(cursor string) (K, error)) (from K, limit int, err error) {
	if limit, err = r.limit(); err != nil {
		return from, 0, err
	}
	if cursor, given := r.query("cursor"); given {
		from, err = parse(cursor)
	}
	return from, limit, err
}

// cutPage makes a page of the items of a list, of which one more was asked for than a page
// has: that tells whether there is more. last is the page's last item if there is.
func cutPage[T any](items []T, limit int) (page []T, last *T) {
	if len(items) <= limit {
		return items, nil
	}
	return items[:limit], &items[limit-1]
}

// nextPage names the page after this one: in the Link header (RFC 8288), and by the cursor,
// which it returns for the body. Of the filter only what is not empty is part of the link.
func (r *request) nextPage(path string, filter url.Values, limit int, cursor string) *string {
	for name, values := range filter {
		if values[0] == "" {
			delete(filter, name)
		}
	}
	filter.Set("limit", strconv.Itoa(limit))
	filter.Set("cursor", cursor)
	r.setHeader("Link", "<"+path+"?"+filter.Encode()+`>; rel="next"`)
	return &cursor
}
