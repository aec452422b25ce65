// Package scoring holds the rules that decide which scan of a student is kept
// and what its marks are a percentage of. Rules are pure, named and order-free:
// whatever the order of arrival, and however often a scan arrives, the same scan
// is kept.
package scoring
