"""What the sandbox's host is connected to: one network namespace that plays the internet.

Addresses are those set aside for documentation (RFC 5737, RFC 3849).
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from vnet_tui.sandbox.namespaces import NamedNamespace, veth

INTERNET = "internet"
UPLINK = "uplink0"
HOST_V4, HOST_V6 = "198.51.100.2", "2001:db8:0:1::2"
GATEWAY_V4, GATEWAY_V6 = "198.51.100.1", "2001:db8:0:1::1"
DNS_SERVER = GATEWAY_V4
WWW_NAME = "www.example.net"
WWW_V4, WWW_V6 = "203.0.113.10", "2001:db8:0:2::10"
ROUTED = ("192.0.2.0/24", "2001:db8:0:3::/64")
"""Subnets behind the host that the internet knows: those of the network ``dmz``."""
ROUTED_GUEST = "192.0.2.10"
"""The address that ``dmz`` keeps for its guest ``shop``."""

OPEN_PORT = 123
"""The port of the host's own addresses that ``Foo`` forwards to its guest ``foobar``."""

_NEIGHBOUR = "eth0"


def build() -> None:
    """Make the internet, its name server, and the host's uplink with the default routes.

    Everything works when it returns.
    """
    internet = NamedNamespace(INTERNET)
    veth(UPLINK, _NEIGHBOUR, internet)
    configure(
        [
            f"address add {HOST_V4}/24 dev {UPLINK}",
            f"address add {HOST_V6}/64 dev {UPLINK} nodad",
            f"route add default via {GATEWAY_V4}",
            f"route add default via {GATEWAY_V6}",
        ]
    )
    configure(
        [
            f"address add {GATEWAY_V4}/24 dev {_NEIGHBOUR}",
            f"address add {GATEWAY_V6}/64 dev {_NEIGHBOUR} nodad",
            f"address add {WWW_V4}/32 dev lo",
            f"address add {WWW_V6}/128 dev lo nodad",
            *(f"route add {net} via {HOST_V6 if ':' in net else HOST_V4}" for net in ROUTED),
        ],
        namespace=INTERNET,
    )
    _serve_names(internet)


def configure(commands: Sequence[str], namespace: str | None = None) -> None:
    """Run commands of ip(8), as one batch, here or in a named namespace."""
    where = ["-netns", namespace] if namespace else []
    subprocess.run(
        ["ip", *where, "-batch", "-"],
        input="\n".join(commands),
        check=True,
        capture_output=True,
        text=True,
    )


def _serve_names(internet: NamedNamespace) -> None:
    """A name server that knows all names there are. Dnsmasq goes to the background when ready."""
    internet.run(
        "dnsmasq",
        "--conf-file=/dev/null",
        "--user=",
        "--group=",
        "--pid-file=",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={GATEWAY_V4},{GATEWAY_V6}",
        f"--host-record={WWW_NAME},{WWW_V4},{WWW_V6}",
        f"--host-record=dns.example.net,{GATEWAY_V4},{GATEWAY_V6}",
        "--address=/#/",  # any other name doesn't exist
    )
