package main

// What the tests of this command look at from inside.
var (
	Main          = main
	Run           = run
	ExitCodeOf    = exitCodeOf
	Nearest       = nearest
	ParseSize     = parseSize
	FormatSize    = formatSize
	Approximate   = approximate
	UnknownIn     = unknownVariables
	UsageError    = usageError
	Unreachable   = unreachableError
	ErrRefused    = errRefused
	MediaType     = mediaType
	NewLogger     = newLogger
	ListenDefault = listenDefault
)

// Verbs lists every verb as it is typed, without the program's name.
func Verbs() [][]string {
	var all [][]string
	root := newRoot(streams{})
	for _, verb := range root.Commands {
		all = append(all, []string{verb.Name})
		for _, inner := range verb.Commands {
			all = append(all, []string{verb.Name, inner.Name})
		}
	}
	return all
}

// Environment lists every variable that a verb reads.
func Environment() []string { return environmentOf(newRoot(streams{})) }
