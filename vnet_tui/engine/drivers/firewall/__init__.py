"""Packet filtering and address translation behind one protocol."""
