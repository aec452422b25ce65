package delta

// Prototype is what the first record is compared with.
func Prototype() []byte { return prototype }

// All are the streams by kind.
func (s *Streams) All() [4][]byte { return [4][]byte{s.Commands, s.Numbers, s.Singles, s.Texts} }
