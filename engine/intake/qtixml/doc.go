// Package qtixml reads 1EdTech QTI Results Reporting: an assessmentResult of QTI 2.1,
// 2.2 or 3.0, the result of one candidate in one test.
//
// [New] gives the decoder. The sheet is the document: the student is the context's
// sourcedId, the test the testResult's identifier, the marks are its outcome variables
// SCORE and MAXSCORE (or SCORE's normalMaximum), the time of the scan is its datestamp.
// The itemResults are answers: as in scanner documents they never change the marks, and
// those that could not be used in statistics are counted.
//
// The XML is read by mcqxml's scanner ([mcqxml.Cursor]), with all it guarantees.
// DESIGN.md, one directory up, has the choices made where the contract is silent.
package qtixml
