"""vnet-tui: virtual networks on Linux, described in XML, run and watched from a terminal."""

__version__ = "0.1.0"
