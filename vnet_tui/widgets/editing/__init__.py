"""The tabs in which a definition is edited, and what they are made of."""
