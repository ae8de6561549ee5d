"""The second step of a new network: the host's addresses on it, and so its subnets."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from vnet_tui import actions
from vnet_tui.drafts.guided import PREFIX, first_of, ip_of, read_interface, with_interface
from vnet_tui.engine.errors import VnetError
from vnet_tui.engine.model import Interface, Ip, Network, Subnet
from vnet_tui.feed import feed_of
from vnet_tui.widgets.editing.settings import Setting, Settings, line_of
from vnet_tui.widgets.editing.tab import Edited, EditorTab
from vnet_tui.widgets.fields import TextField
from vnet_tui.widgets.live_table import Cell
from vnet_tui.widgets.picture import Line, Picture

HINT = (
    "The host's own address and the length of its prefix; empty for none.",
    "F3 finds a subnet that nothing on this host uses.",
)
CHOOSE = "choose the IPv{} subnet"
EXAMPLES = {4: "none; F3 finds a free subnet", 6: "none; F3 makes a private one"}


class Subnets:
    """How the address of one family is put into a network."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._before: Network | None = None
        self._made: Network | None = None

    def get(self, network: Network) -> Interface | None:
        """The host's address."""
        ip = ip_of(network, self._version)
        return ip.interface if ip else None

    def line(self, network: Network) -> int:
        """Where the address stands in the document."""
        return line_of(ip_of(network, self._version))

    def put(self, network: Network, host: Interface | None) -> Network:
        """Another one. While it is typed, every key changes the network as it was before the
        first: a subnet that is typed half leaves no trace in ranges and reservations."""
        if self._before is None or network != self._made:
            self._before = network
        self._made = with_interface(self._before, self._version, host)
        return self._made


class AddressesStep(EditorTab):
    """An address of each family."""

    TITLE = "Addresses"
    BINDINGS: ClassVar[list[BindingType]] = [actions.FREE_SUBNET.binding()]

    class Found(Message):
        """A subnet that nothing uses, or why there is none."""

        def __init__(self, version: int, found: Subnet | VnetError) -> None:
            super().__init__()
            self.version = version
            self.found = found

    def __init__(self) -> None:
        super().__init__(id="new-addresses")
        self._fields = {version: _field(version) for version in (4, 6)}
        self._subnets = {version: Subnets(version) for version in (4, 6)}
        self._settings = Settings(
            Setting(field, CHOOSE.format(version), subnets.get, subnets.put, line=subnets.line)
            for (version, field), subnets in zip(
                self._fields.items(), self._subnets.values(), strict=True
            )
        )

    def compose(self) -> ComposeResult:
        """The fields, and what follows from them."""
        yield self._settings
        yield Picture(id="new-subnets")

    @property
    def focus_target(self) -> Widget:
        """The IPv4 address."""
        return self._fields[4].control

    @property
    def line(self) -> int:
        """That of the field."""
        return self._settings.line

    def draw(self) -> None:
        """Put the addresses into the fields."""
        if self.network is not None:
            self._settings.show(self.network)
            self.query_one("#new-subnets", Picture).show(subnet_lines(self.network))

    # -- free subnets ---------------------------------------------------------------------------

    def action_free_subnet(self) -> None:
        """Find one for the field that the cursor is in."""
        self.find(6 if self._fields[6].has_focus_within else 4)

    def find(self, version: int) -> None:
        """Ask for a subnet that nothing on the host uses."""
        self.run_worker(self._ask(version), group=f"find {version}", exclusive=True)

    async def _ask(self, version: int) -> None:
        connection = feed_of(self).connection
        found: Subnet | VnetError = VnetError("there is no connection to find a subnet with")
        if connection is not None:
            try:
                found = await connection.suggest_subnet(PREFIX[version], version)
            except VnetError as error:
                found = error
        self.post_message(self.Found(version, found))

    def on_addresses_step_found(self, message: Found) -> None:
        """Take it."""
        message.stop()
        if isinstance(message.found, VnetError):
            self.notify(str(message.found), severity="warning")
        elif self.network is not None:
            version = message.version
            after = self._subnets[version].put(self.network, first_of(message.found))
            self.post_message(Edited(CHOOSE.format(version), after))


def _field(version: int) -> TextField[Interface]:
    return TextField(
        f"IPv{version}", lambda text: read_interface(text, version), example=EXAMPLES[version]
    )


def subnet_lines(network: Network) -> list[Line]:
    """What is left for guests in each subnet, and what to type."""
    lines = [(), *(_subnet_line(ip) for ip in network.ips)]
    if not network.ips:
        lines.append(
            (Cell(" No subnet: guests see each other, by addresses of their own.", "warn"),)
        )
    return [*lines, (), *((Cell(f" {text}", "dim"),) for text in HINT)]


def _subnet_line(ip: Ip) -> Line:
    subnet = ip.subnet
    room = "room for all guests"
    if subnet.version == 4:
        count = max(0, subnet.num_addresses - 3)
        room = f"room for {count:,} guest{'' if count == 1 else 's'}"
    return (Cell(f" {subnet}", "strong"), Cell(f"  the host is {ip.address}, {room}"))
