"""Virtual networks for scripts, blocking and spelled as libvirt's Python bindings spell them.

>>> import vnet_tui.virnet as libvirt
>>> conn = libvirt.open()  # doctest: +SKIP
>>> net = conn.networkLookupByName("Foo")
>>> net.create()
0

A script for libvirt's networks runs with the changed import. Documents are those of this project
(``docs/xml.md``). ``docs/api.md`` maps each function of the original design to its method.
"""

from vnet_tui.virnet import constants
from vnet_tui.virnet.connect import virConnect
from vnet_tui.virnet.constants import *  # noqa: F403 - scripts name them as this module's
from vnet_tui.virnet.dispatch import virEventRegisterDefaultImpl, virEventRunDefaultImpl
from vnet_tui.virnet.errors import libvirtError, registerErrorHandler
from vnet_tui.virnet.network import virNetwork

__all__ = [
    *(name for name in dir(constants) if name.startswith("VIR_")),
    "getVersion",
    "libvirtError",
    "open",
    "openAuth",
    "openReadOnly",
    "registerErrorHandler",
    "virConnect",
    "virEventRegisterDefaultImpl",
    "virEventRunDefaultImpl",
    "virNetwork",
]


def open(name: str | None = None) -> virConnect:
    """The manager that a URI names: ``vnet:///system``, ``vnet:///embedded``,
    ``vnet+ssh://user@host/system``. None, and a hypervisor's URI (``qemu:///system``): the one of
    this host. Raises libvirtError."""
    return virConnect(name or "", read_only=False)


def openReadOnly(name: str | None = None) -> virConnect:
    """The same, without changes: those raise ``VIR_ERR_OPERATION_DENIED``."""
    return virConnect(name or "", read_only=True)


def openAuth(uri: str | None, auth: object, flags: int = 0) -> virConnect:  # noqa: ARG001
    """The same as :func:`open`, or with flag 1 as :func:`openReadOnly`: who may do what is decided
    by user and group, so nobody is asked for credentials."""
    return virConnect(uri or "", read_only=bool(flags & 1))


def getVersion(name: str | None = None) -> int:  # noqa: ARG001 - libvirt's signature
    """This library's version, as major * 1,000,000 + minor * 1,000 + release."""
    from vnet_tui.virnet.connect import version

    return version()
