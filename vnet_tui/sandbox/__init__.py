"""A private world of namespaces in which everything is real and nothing can be broken."""
