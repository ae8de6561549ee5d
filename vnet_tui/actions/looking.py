"""What shows more: other screens, and what can be done to what they show."""

from __future__ import annotations

from vnet_tui.actions.action import Action

VIEW = Action(
    id="next-view",
    key="v",
    label="view",
    title="show another view of this",
    help="Go from one view of what is shown to the next.",
)
MEND = Action(
    id="mend",
    key="p",
    label="mend",
    title="run what mends it",
    help="Show the commands that open the way, and run them when that is agreed to.",
)
DOCTOR = Action(
    id="doctor",
    key="D",
    label="doctor",
    title="ask the doctor about {}",
    help="What on this host stands in the network's way, and what opens it.",
    shown=False,
)
EXPLAIN = Action(
    id="explain",
    key="X",
    label="explain",
    title="explain who reaches whom over {}",
    help="Whether one machine reaches another over the network, and who decides that.",
    shown=False,
)
EVENTS = Action(
    id="events",
    key="E",
    label="events",
    title="show the events of all networks",
    help="Everything that happens, on all networks, with who was denied what.",
    shown=False,
)
HOLD = Action(
    id="hold",
    key="h",
    label="hold",
    title="hold what is shown",
    help="Let the live figures stand still, or go on.",
)
MONITOR = Action(
    id="monitor",
    key="m",
    label="monitor",
    title="monitor the traffic of everything",
    help="The host's links, all networks and their ports: what flows, and what flowed in the last "
    "ten minutes.",
    shown=False,
)
TOPOLOGY = Action(
    id="topology",
    key="t",
    label="topology",
    title="draw who is connected with whom",
    help="Guests, ports, bridges, this host and its links as a drawing, with live rates.",
    shown=False,
)
UNIT = Action(
    id="next-unit",
    key="U",
    label="unit",
    title="show the traffic in the next unit",
    help="Go from bits to bytes, packets and drops a second, and to totals.",
)
BACK_IN_TIME = Action(
    id="back-in-time",
    key="left",
    label="earlier",
    title="go back in time",
    help="Look at ten seconds earlier, with shift a minute; what is shown is held.",
    shown=False,
)
ON_IN_TIME = Action(
    id="on-in-time",
    key="right",
    label="later",
    title="go on in time",
    help="Look at ten seconds later, with shift a minute; at the end it goes on by itself.",
    shown=False,
)
WRITE = Action(
    id="write",
    key="w",
    label="write",
    title="write what is shown to a file",
    help="Write what is shown to a file, as CSV or JSON.",
)

MONITOR_ACTIONS = (HOLD, VIEW, UNIT, WRITE, BACK_IN_TIME, ON_IN_TIME)
"""What can be done to traffic that is watched."""
