"""The dnsmasq processes that serve our networks."""

from vnet_tui.engine.drivers.dnsmasq.driver import Dnsmasq

__all__ = ["Dnsmasq"]
