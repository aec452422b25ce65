package httpapi

func (s *Server) page(*request) error { return errNoSuchRoute }
