package httpapi

// What the tests of the border look at from the inside.

// ProblemOf is the status and the code that an error is answered with.
func ProblemOf(err error) (status int, name string) {
	p := problemOf(err)
	return kinds[p.code].status, string(p.code)
}

// Statuses lists the statuses that have a series of their own.
func Statuses() []int { return statuses[:] }

// TurnedAwayCodes lists the codes that documents refused by the border are
// counted under.
func TurnedAwayCodes() []string {
	var names []string
	for _, c := range unreadCodes {
		names = append(names, string(c))
	}
	return names
}

// Route is a line of the route table.
type Route struct{ Method, Pattern string }

// PublicRoutes and OperatorRoutes are the route tables of the two listeners.
func PublicRoutes(opsElsewhere bool) []Route { return exportRoutes(publicRoutes(opsElsewhere)) }

// OperatorRoutes is the route table of the operators' listener.
func OperatorRoutes() []Route { return exportRoutes(operatorRoutes()) }

func exportRoutes(table []route) []Route {
	var exported []Route
	for _, r := range table {
		exported = append(exported, Route{r.method, r.pattern})
	}
	return exported
}

// SetPanic makes GET /livez panic with a value.
func (s *Server) SetPanic(value any) {
	for _, l := range []*listening{&s.public, &s.operators} {
		for _, paths := range l.routes.byLength {
			for _, p := range paths {
				if p.routes[0].pattern == "/livez" {
					p.routes[0].handle = func(*Server, *request) error { panic(value) }
				}
			}
		}
	}
}

// HeldBytes is what the budget has given out.
func (s *Server) HeldBytes() int64 { return s.budget.used.Load() }

// TakeBudget takes bytes from the budget and returns how to give them back.
func (s *Server) TakeBudget(n int64) (giveBack func()) {
	if !s.budget.take(n) {
		return nil
	}
	return func() { s.budget.give(n) }
}

// TakePlaces takes all places of imports and returns how to give them back.
func (s *Server) TakePlaces() (giveBack func()) {
	for range cap(s.places) {
		s.places <- struct{}{}
	}
	return func() {
		for range cap(s.places) {
			<-s.places
		}
	}
}

// ZstdBytesHeld is what a zstd body takes from the budget beside its bytes.
const ZstdBytesHeld = zstdBytesHeld

// ValidRequestID says whether a client's request id is taken over.
func ValidRequestID(id string) bool { return validRequestID([]byte(id)) }

// SizeFor is the size of the buffer after one of size bytes.
func SizeFor(size, expected int64) int64 { return sizeFor(size, expected) }

// NewBudget is a budget of so many bytes: how to take, and how to give back.
func NewBudget(most int64) (take func(int64) bool, give func(int64)) {
	b := &budget{max: most}
	return b.take, b.give
}
