package httpapi

func (s *Server) openapi(*request) error { return errNoSuchRoute }
