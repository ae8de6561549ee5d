"""``vnetd``: an engine that stays."""
