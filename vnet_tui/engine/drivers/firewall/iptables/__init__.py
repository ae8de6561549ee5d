"""The iptables driver: legacy tables, IPv4 and IPv6, changed through python-iptables.

``compile`` turns rules into tables (``rules``), ``kernel`` reads what there is, ``child`` is the
process that changes it, and ``driver`` brings them together.
"""
