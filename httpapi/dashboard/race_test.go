//go:build race

package dashboard_test

// underRace says that the race detector watches. It has nothing to find in a browser,
// and what the server does for one is raced elsewhere.
const underRace = true
