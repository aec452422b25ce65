// Package summary computes the published figures of a test from integer sums and
// a count of students per score. It is pure. Every figure is the float64 nearest
// to the exact value (ties to even); nothing is rounded twice.
//
// n students have the scores x, each a fraction of the available marks; f of them have
// one score and F a lower one.
//
//	figure            formula                                          as in
//	mean              Σx / n
//	deviation         sqrt(n Σx² - (Σx)²) / n                          of the population
//	percentile p      linear between the scores at rank (n-1)p         type 7 of Hyndman and Fan 1996
//	percentile rank   100 (F + f/2) / n                                Kolen and Brennan 2014
//	z                 (x - mean) / deviation
//	T                 50 + 10 z                                        McCall 1922
//	stanine           from the rank, at 4 11 23 40 60 77 89 96         see [Standing.Stanine]
//	effect size       (mean2 - mean1) / pooled deviation of samples    Cohen 1988, see [Effect]
//
// What is not defined (z without spread, an effect between two students) is told so and
// never 0 or NaN. What a [Distribution] is asked for is a walk of its tree and never a pass
// over the students; where scores have denominators of their own, moments are a pass over
// the distinct scores, once a view.
package summary
