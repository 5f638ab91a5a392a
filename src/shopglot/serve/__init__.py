"""A bundle answers: files, a cluster, and clients over HTTP."""
