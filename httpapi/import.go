package httpapi

// importDocumentPost takes a document.
func (s *Server) importDocumentPost(*request) error { return errNoSuchRoute }
