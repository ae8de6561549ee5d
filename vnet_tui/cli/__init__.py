"""``vnet``: the command line, one function a command."""
