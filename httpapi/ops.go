package httpapi

func (s *Server) metricsPage(r *request) error { return r.empty(204) }
