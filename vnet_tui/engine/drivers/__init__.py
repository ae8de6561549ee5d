"""The only code that touches the system. Drivers know nothing of each other."""
