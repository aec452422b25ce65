package httpapi

// livez says that the process is up. It looks at nothing else, because a restart
// would cure nothing else.
func (s *Server) livez(r *request) error {
	return r.send(200, "text/plain; charset=utf-8", []byte("ok\n"))
}

func (s *Server) readyz(r *request) error {
	return r.send(200, "text/plain; charset=utf-8", []byte("ok\n"))
}
