// Package mutants shows that the tests of the promises can fail. A mutant is a change of
// one place in the program that breaks a promise: a sync is left out, a checksum is not
// looked at, an answer comes too early. For each one there is a test that has to fail
// with it. The changes are made with go test -overlay, so no file of the tree is touched.
//
// `make mutants` tries all of them. In every run of the tests [TestTexts] holds that the
// places are still there, and that the table in DESIGN.md is that of the mutants.
package mutants
