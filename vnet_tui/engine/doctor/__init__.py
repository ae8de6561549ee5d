"""What stands in a network's way on this host, and why one machine reaches another or not.

The host's other firewall tables are read and a packet is traced through them on paper; nothing is
changed, and nothing is sent but one question to the network's own bridge
(:mod:`vnet_tui.engine.doctor.dhcp_servers`).
"""
