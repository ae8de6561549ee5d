"""``Connection``: the one API that all faces use."""
