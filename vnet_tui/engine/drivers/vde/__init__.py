"""The vde_switch processes of our networks."""

from vnet_tui.engine.drivers.vde.driver import Vde

__all__ = ["Vde"]
