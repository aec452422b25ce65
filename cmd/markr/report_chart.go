package main

import (
	"math"
	"strconv"
	"strings"
)

// The size of a chart in its own units, and the room around what is drawn.
const (
	chartWidth, chartHeight  = 680.0, 230.0
	chartLeft, chartRight    = 34.0, 8.0
	chartTop, chartBottom    = 26.0, 50.0
	scatterWidth             = 430.0
	scatterHeight            = 270.0
	scatterLeft, scatterFoot = 40.0, 34.0
	barsMax                  = 120 // of one mark each; beyond that they are of one percent
)

// reportChart is a distribution as it is drawn.
type reportChart struct {
	Width, Height, Left, Right, Base float64
	Bars                             []reportBar
	Ticks, Counts                    []reportLabel
	Cut                              float64
	CutLabel                         string
	P25, P50, P75, Band              float64
	P25Label, P50Label, P75Label     string
}

// reportBar is a rectangle.
type reportBar struct {
	X, Y, Width, Height float64
	Passes              bool
	Label               string
}

// reportLabel is a text at a place.
type reportLabel struct {
	At   float64
	Text string
}

func newReportChart(s *reportSource) *reportChart {
	c := &reportChart{Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartWidth - chartRight, Base: chartHeight - chartBottom}
	counts, steps := s.Scores.bars()
	half := 50 / float64(steps)
	x := func(percent float64) float64 {
		return round(c.Left + (percent+half)/(100+2*half)*(c.Right-c.Left))
	}
	most := 1
	for _, count := range counts {
		most = max(most, count)
	}
	y := func(count int) float64 { return round(c.Base - float64(count)/float64(most)*(c.Base-chartTop)) }
	wide := x(2*half) - x(0)
	for i, count := range counts {
		if count == 0 {
			continue
		}
		percent := 100 * float64(i) / float64(steps)
		c.Bars = append(c.Bars, reportBar{
			X: round(x(percent) - wide*0.42), Y: y(count), Width: round(wide * 0.84), Height: round(c.Base - y(count)),
			Passes: percent >= s.Cut.Cut-1e-9, Label: decimals(percent, 1) + " %: " + strconv.Itoa(count),
		})
	}
	for percent := 0; percent <= 100; percent += 10 {
		c.Ticks = append(c.Ticks, reportLabel{x(float64(percent)), strconv.Itoa(percent)})
	}
	step := niceStep(float64(most) / 4)
	for count := step; count <= most; count += step {
		c.Counts = append(c.Counts, reportLabel{y(count), strconv.Itoa(count)})
	}
	c.Cut = round(x(math.Ceil(s.Cut.Cut/(2*half)-1e-9)*2*half) - wide/2)
	c.CutLabel = decimals(s.Cut.Cut, -1) + " %"
	c.P25, c.P50, c.P75 = x(s.Aggregate.P25), x(s.Aggregate.P50), x(s.Aggregate.P75)
	c.P25Label, c.P50Label, c.P75Label = decimals(s.Aggregate.P25, 1), "median "+decimals(s.Aggregate.P50, 1), decimals(s.Aggregate.P75, 1)
	c.Band = max(1, round(c.P75-c.P25))
	// Labels that would lie on each other are left out; the figures have them.
	const room = 52
	if c.P50-c.P25 < room {
		c.P25Label = ""
	}
	if c.P75-c.P50 < room {
		c.P75Label = ""
	}
	return c
}

// bars counts students by steps of the same size: marks where they are whole and not too
// many, else percent.
func (s *reportScores) bars() (counts []int, steps int) {
	steps = 100
	if s.Available == math.Trunc(s.Available) && s.Available <= barsMax {
		steps = int(s.Available)
	}
	counts = make([]int, steps+1)
	for _, score := range s.Scores {
		at := int(math.Floor(score.Percentage/100*float64(steps) + 1e-9))
		counts[min(max(at, 0), steps)] += score.Count
	}
	return counts, steps
}

// niceStep is a round number of at least raw.
func niceStep(raw float64) int {
	for power := 1; ; power *= 10 {
		for _, n := range [...]int{1, 2, 5} {
			if float64(n*power) >= raw {
				return n * power
			}
		}
	}
}

// reportScatter is facility by item-rest correlation as it is drawn.
type reportScatter struct {
	Width, Height, Left, Right, Top, Foot, Zero float64
	Points                                      []reportPoint
	XTicks, YTicks                              []reportLabel
}

type reportPoint struct {
	X, Y  float64
	Name  string // beside those to look at
	Grave bool
	Label string
	End   bool // the name stands to the left
}

func newReportScatter(questions []reportQuestion) *reportScatter {
	c := &reportScatter{Width: scatterWidth, Height: scatterHeight, Left: scatterLeft, Right: scatterWidth - 10, Top: 22, Foot: scatterHeight - scatterFoot}
	lowest, highest := 0.0, 0.5
	for i := range questions {
		if r := questions[i].ItemRest; r != nil {
			lowest, highest = min(lowest, *r), max(highest, *r)
		}
	}
	lowest, highest = math.Floor(lowest*10-0.4)/10, math.Ceil(highest*10+0.4)/10
	x := func(percent float64) float64 { return round(c.Left + percent/100*(c.Right-c.Left)) }
	y := func(r float64) float64 { return round(c.Foot - (r-lowest)/(highest-lowest)*(c.Foot-c.Top)) }
	c.Zero = y(0)
	for tick := 0.0; tick <= 1; tick += 0.2 {
		if tick <= highest {
			c.YTicks = append(c.YTicks, reportLabel{y(tick), strings.Replace(ratio(&tick), ".00", "0", 1)})
		}
	}
	for _, percent := range [...]float64{0, 25, 50, 75, 100} {
		c.XTicks = append(c.XTicks, reportLabel{x(percent), decimals(percent, 0)})
	}
	for i := range questions {
		q := &questions[i]
		if q.Facility == nil || q.ItemRest == nil {
			continue
		}
		p := reportPoint{X: x(*q.Facility), Y: y(*q.ItemRest), Grave: q.grave(), Label: q.Question + ": " + decimals(*q.Facility, 1) + " %, " + ratio(q.ItemRest)}
		if p.Grave {
			p.Name, p.End = q.Question+" "+q.words(), *q.Facility > 60
		}
		c.Points = append(c.Points, p)
	}
	return c
}

// round keeps two decimals: a hundredth of a unit is not seen.
func round(value float64) float64 { return math.Round(value*100) / 100 }
