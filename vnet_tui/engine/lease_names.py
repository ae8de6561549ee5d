"""Which guest a name belongs to when several claim it: remembered for as long as the leases last.

dnsmasq gives a host name to whoever claims it last, and its lease file then has no name for the
guest that had it before (``lease_set_hostname()`` in lease.c). Rules must not be led elsewhere by
a guest that takes another's name, so what each lease was seen with first is kept: a JSON file a
network in the run directory, shared by all engines that look.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from vnet_tui.engine.files import write_atomically
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.views import Lease


@dataclass(frozen=True, slots=True)
class Seen:
    """A lease as it was seen: whose it is, its name, and since when it has that (seconds since
    1970). ``told``: that the name is another's too was told of it. ``attached`` is the name with
    which its guest is attached."""

    owner: str
    name: str
    since: float
    told: bool = False
    attached: str = ""


def owner(lease: Lease) -> str:
    """What a guest is known by: its MAC, else the identifier that it gave; perhaps nothing."""
    return lease.mac or lease.client_id


def recalled(paths: Paths, network: UUID, leases: Sequence[Lease]) -> tuple[Lease, ...]:
    """The leases with the names that they were seen with, and since when they have these.

    A name that the lease file has decides; of one without a name that it had is recalled.
    """
    known = _read(_file(paths, network))
    return tuple(_named(lease, known.get(str(lease.address))) for lease in leases)


def remember(
    paths: Paths,
    network: UUID,
    leases: Sequence[Lease],
    now: float,
    attached: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Lease, ...]:
    """Take account of the leases as their file has them now, and forget those that are gone.

    ``attached`` are the names with which guests are attached, by MAC, empty ones where they don't
    matter; who isn't among them keeps the one that it had, unless that is another's now. Gives what
    :func:`recalled` does afterwards. Raises OSError. Takes a millisecond where something is new,
    and less where not.
    """
    path = _file(paths, network)
    if not leases and not path.exists():
        return ()
    with _alone(path):
        before = _read(path)
        after = {}
        for lease in leases:
            seen = before.get(str(lease.address))
            if seen is None or seen.owner != owner(lease):
                seen = Seen(owner(lease), lease.name, now)
            elif lease.name and lease.name.lower() != seen.name.lower():
                seen = replace(seen, name=lease.name, since=now, told=False)
            after[str(lease.address)] = _attached(seen, lease, attached)
        _write(path, before, after)
    return tuple(_named(lease, after[str(lease.address)]) for lease in leases)


def _attached(seen: Seen, lease: Lease, attached: Mapping[str, str]) -> Seen:
    if lease.mac in attached:
        return replace(seen, attached=attached[lease.mac])
    return replace(seen, attached="") if seen.attached in attached.values() else seen


def first_telling(paths: Paths, network: UUID, lease: Lease) -> bool:
    """Whether it hasn't been told yet that a lease's name is another's too; from now on it has."""
    path = _file(paths, network)
    with _alone(path):
        before = _read(path)
        seen = before.get(str(lease.address))
        if seen is None or seen.told:
            return False
        _write(path, before, {**before, str(lease.address): replace(seen, told=True)})
    return True


def _named(lease: Lease, seen: Seen | None) -> Lease:
    if seen is None or seen.owner != owner(lease):
        return lease
    if lease.name and lease.name.lower() != seen.name.lower():
        return replace(lease, attached=seen.attached)
    return replace(lease, name=lease.name or seen.name, since=seen.since, attached=seen.attached)


def _file(paths: Paths, network: UUID) -> Path:
    return paths.run / "names" / f"{network}.json"


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """While no other engine changes what is remembered; none needs more than a millisecond."""
    path.parent.mkdir(parents=True, exist_ok=True)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _read(path: Path) -> Mapping[str, Seen]:
    """What is remembered; nothing where the file is damaged, as it is where there is none."""
    try:
        return {
            str(address): Seen(str(of), str(name), float(since), bool(told), *map(str, attached))
            for address, (of, name, since, told, *attached) in json.loads(path.read_text()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(path: Path, before: Mapping[str, Seen], after: Mapping[str, Seen]) -> None:
    if not after:
        path.unlink(missing_ok=True)
    elif after != before:
        fields = {address: [*asdict(seen).values()] for address, seen in after.items()}
        write_atomically(path, json.dumps(fields))
