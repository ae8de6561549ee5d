"""Definitions at rest: one XML file a network, named by its UUID."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from vnet_tui.engine.errors import DocumentError, StoreError
from vnet_tui.engine.files import remove_durably, sync_directory, write_atomically
from vnet_tui.engine.model import Network
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.xml import kept, reread
from vnet_tui.engine.xml.limits import MAX_BYTES
from vnet_tui.engine.xml.summary import Summary, summarize

DIRECTORY_MODE = 0o755
FILE_MODE = 0o644
"""Anyone on the host may read definitions, as they may read addresses and routes: they hold no
secrets. Only the owner of the directory writes."""

_SUFFIX = ".xml"
_REASON = ".reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A definition that can't be read: where it was found, where it lies now, and why."""

    path: Path
    kept: Path
    reason: str

    def __str__(self) -> str:
        place = f", set aside as {self.kept}" if self.kept != self.path else ""
        return f"{self.path}{place}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContents:
    """All that is in the store. ``damaged`` are files that can't be read, those that were set
    aside earlier too."""

    networks: Mapping[UUID, Network]
    damaged: tuple[Damage, ...] = ()


_Stamp = tuple[int, int, int]
"""A file as it was when it was read: modification time, size and inode."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A definition that was read, and what its file was like."""

    stamp: _Stamp
    network: Network


class Store:
    """The definitions of the networks of one host, and which of them start by themselves.

    Every change is atomic and durable: a temporary file, fsync, rename, fsync of the directory.
    Writers in several processes wait for each other; readers never wait. All methods block, for
    milliseconds a change and as long as it takes to read what is new. Raise
    :class:`~vnet_tui.engine.errors.StoreError` when the system refuses.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known: dict[UUID, _Known] = {}
        self._listed: dict[UUID, tuple[_Stamp, Summary]] = {}
        self._swept = False
        self.doubtful = False

    def load(self) -> StoreContents:
        """Everything that is defined.

        Files that haven't changed since this object last looked at them aren't read again. One that
        can't be read as a network is moved to :attr:`~vnet_tui.engine.paths.Paths.damaged` with the
        reason beside it; where this process may not, it stays, and is reported all the same.
        """
        known: dict[UUID, _Known] = {}
        damaged: list[Damage] = []
        try:
            for uuid, entry in self._definitions(damaged):
                self._take(uuid, entry, known, damaged)
        except OSError as error:
            raise _refused("read", self._paths.definitions, error) from error
        self._known = known
        return self._contents(known, damaged)

    def load_files(self, names: Iterable[str]) -> StoreContents:
        """What is defined by files with these names, as :meth:`load` tells it; no others are
        looked at."""
        known: dict[UUID, _Known] = {}
        damaged: list[Damage] = []
        for name in sorted(names):
            path = self._paths.definitions / name
            uuid = _meant(name, path, damaged) if os.path.lexists(path) else None
            if uuid is not None:
                self._take(uuid, path, known, damaged)
        self._known.update(known)
        return self._contents(known, damaged)

    def _take(
        self,
        uuid: UUID,
        entry: os.DirEntry[str] | Path,
        known: dict[UUID, _Known],
        damaged: list[Damage],
    ) -> None:
        """Put a definition with those that are known, or with the damaged ones."""
        try:
            known[uuid] = self._read(uuid, entry)
        except FileNotFoundError:
            return  # it was removed while we looked
        except (DocumentError, _NotADefinitionError) as error:
            found = self._set_aside(Path(entry), uuid, str(error))
            if isinstance(found, Damage):
                damaged.append(found)
            elif found is not None:
                known[uuid] = found
        except OSError as error:
            path = Path(entry)
            damaged.append(Damage(path=path, kept=path, reason=error.strerror or "?"))

    def _contents(self, known: Mapping[UUID, _Known], damaged: list[Damage]) -> StoreContents:
        networks = {uuid: one.network for uuid, one in known.items()}
        return StoreContents(
            networks=networks, damaged=(*damaged, *self._set_aside_earlier(damaged))
        )

    def one(self, uuid: UUID) -> Network | None:
        """One definition; None where there is none that can be read."""
        path = self._path(uuid)
        try:
            known = self._known[uuid] = self._read(uuid, path)
        except (FileNotFoundError, DocumentError, _NotADefinitionError):
            return None
        except OSError as error:
            raise _refused("read", path, error) from error
        return known.network

    def summaries(self) -> Mapping[UUID, Summary]:
        """What a list shows of everything that is defined, several times as quick as
        :meth:`load` where little was read before.

        What can't be read is left out; ``doubtful`` says that there is such a file, or was one
        that was set aside, and :meth:`load` which and why.
        """
        listed: dict[UUID, tuple[_Stamp, Summary]] = {}
        damaged: list[Damage] = []
        self.doubtful = next(self._set_aside_earlier(damaged), None) is not None
        try:
            for uuid, entry in self._definitions(damaged):
                try:
                    listed[uuid] = self._glance(uuid, entry)
                except FileNotFoundError:
                    continue  # it was removed while we looked
                except (DocumentError, _NotADefinitionError):
                    self.doubtful = True
        except OSError as error:
            raise _refused("read", self._paths.definitions, error) from error
        self.doubtful = self.doubtful or bool(damaged)
        self._listed = listed
        return {uuid: summary for uuid, (_, summary) in listed.items()}

    def save(self, network: Network) -> None:
        """Write a definition, new or in place of the one with its UUID, which it must have."""
        if network.uuid is None:
            raise StoreError(f"{network.name} has no UUID, by which it could be found again")
        text, as_stored = kept(network)
        self._known[network.uuid] = _Known(self.put(network.uuid, text), as_stored)

    def put(self, uuid: UUID, text: str) -> _Stamp:
        """Write a definition as it was read by :meth:`texts`."""
        path = self._path(uuid)
        try:
            with self._writing():
                write_atomically(path, text.encode(errors="surrogateescape"), mode=FILE_MODE)
                return _stamp(path.stat())
        except OSError as error:
            raise _refused("write", path, error) from error

    def texts(self) -> Mapping[UUID, str]:
        """The files of all definitions as they are, good or damaged; what isn't UTF-8 in them is
        kept as surrogates (PEP 383)."""
        found = {}
        try:
            for uuid, entry in self._definitions([]):
                with contextlib.suppress(FileNotFoundError, _NotADefinitionError):
                    found[uuid] = _content(entry.path).decode(errors="surrogateescape")
        except OSError as error:
            raise _refused("read", self._paths.definitions, error) from error
        return found

    def remove(self, uuid: UUID) -> None:
        """Remove a definition, and that it starts by itself; gone already is fine."""
        path = self._path(uuid)
        try:
            with self._writing():
                remove_durably(self._paths.autostart / str(uuid))
                remove_durably(path)
        except OSError as error:
            raise _refused("remove", path, error) from error
        self._known.pop(uuid, None)

    def autostart(self, uuid: UUID) -> bool:
        """Whether a network starts by itself with the host."""
        return (self._paths.autostart / str(uuid)).exists()

    def autostarts(self) -> frozenset[UUID]:
        """The networks that start by themselves."""
        try:
            names = [path.name for path in self._paths.autostart.iterdir()]
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise _refused("read", self._paths.autostart, error) from error
        return frozenset(uuid for name in names if (uuid := _as_uuid(name)) is not None)

    def set_autostart(self, uuid: UUID, on: bool) -> None:
        """Whether a network is to start by itself with the host."""
        path = self._paths.autostart / str(uuid)
        try:
            if on:
                write_atomically(path, "", mode=FILE_MODE)
            else:
                remove_durably(path)
        except OSError as error:
            raise _refused("write", path, error) from error

    def _path(self, uuid: UUID) -> Path:
        return self._paths.definitions / f"{uuid}{_SUFFIX}"

    def _definitions(self, damaged: list[Damage]) -> Iterator[tuple[UUID, os.DirEntry[str]]]:
        """The files that are named as definitions, by name; others that end in .xml are told."""
        try:
            entries = sorted(os.scandir(self._paths.definitions), key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        for entry in entries:
            uuid = _meant(entry.name, entry, damaged)
            if uuid is not None:
                yield uuid, entry

    def _read(self, uuid: UUID, entry: os.DirEntry[str] | Path) -> _Known:
        stamp = _stamp(entry.stat())
        known = self._known.get(uuid)
        if known is not None and known.stamp == stamp:
            return known
        return _Known(stamp, _parse(uuid, _content(os.fspath(entry))))

    def _glance(self, uuid: UUID, entry: os.DirEntry[str]) -> tuple[_Stamp, Summary]:
        stamp = _stamp(entry.stat())
        listed = self._listed.get(uuid)
        if listed is not None and listed[0] == stamp:
            return listed
        known = self._known.get(uuid)
        if known is not None and known.stamp == stamp:
            return stamp, Summary.of(known.network)
        return stamp, summarize(_content(entry.path))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """The only writer, in a directory that is there. A killed writer lets go (flock(2))."""
        directory = self._paths.definitions
        directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not self._swept:
                for left in directory.glob(".*.tmp"):
                    left.unlink(missing_ok=True)  # whoever wrote it was killed
                self._swept = True
            yield
        finally:
            os.close(descriptor)

    def _set_aside(self, path: Path, uuid: UUID, reason: str) -> Damage | _Known | None:
        """Move a damaged file away, unless by now it is a good one, or gone.

        It is looked at once more while nobody writes, so that one that just took its place stays.
        """
        try:
            with self._writing():
                try:
                    return _Known(_stamp(path.stat()), _parse(uuid, _content(path)))
                except FileNotFoundError:
                    return None
                except (DocumentError, _NotADefinitionError):
                    kept = _free_name(self._paths.damaged / path.name)
                    write_atomically(kept.with_name(kept.name + _REASON), reason + "\n")
                    path.rename(kept)
                    sync_directory(kept.parent)
                    sync_directory(path.parent)
                    return Damage(path=path, kept=kept, reason=reason)
        except OSError:
            return Damage(path=path, kept=path, reason=reason)

    def _set_aside_earlier(self, new: list[Damage]) -> Iterator[Damage]:
        just_now = {one.kept for one in new}
        with contextlib.suppress(OSError):
            for path in sorted(self._paths.damaged.iterdir()):
                if path in just_now or path.name.endswith((_REASON, ".tmp")):
                    continue
                reason = ""
                with contextlib.suppress(OSError):
                    reason = path.with_name(path.name + _REASON).read_text().strip()
                yield Damage(path=self._paths.definitions / path.name, kept=path, reason=reason)


class _NotADefinitionError(Exception):
    """What stands where a definition should is something else."""


def _parse(uuid: UUID, content: bytes) -> Network:
    network = reread(content)
    if network.uuid is None:
        return replace(network, uuid=uuid)
    if network.uuid != uuid:
        raise _NotADefinitionError(f"it holds the network with the UUID {network.uuid}")
    return network


def _content(path: str | Path) -> bytes:
    """At most one byte more than a document may have, and never waiting for a pipe's writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _NotADefinitionError("it isn't a regular file")
        return os.read(descriptor, min(status.st_size, MAX_BYTES) + 1)
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=32768)
def _as_uuid(name: str) -> UUID | None:
    """The UUID that a file name is, when it is written as we write it."""
    try:
        uuid = UUID(name)
    except ValueError:
        return None
    return uuid if str(uuid) == name else None


def _meant(name: str, entry: os.DirEntry[str] | Path, damaged: list[Damage]) -> UUID | None:
    """The network that a file is named for. One that ends in .xml all the same is told."""
    if not name.endswith(_SUFFIX) or name.startswith("."):
        return None
    uuid = _as_uuid(name.removesuffix(_SUFFIX))
    if uuid is None:
        path = Path(entry)
        reason = "its name is no UUID; vnet network-define takes it into the store"
        damaged.append(Damage(path=path, kept=path, reason=reason))
    return uuid


def _free_name(path: Path) -> Path:
    number = 0
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def _refused(what: str, path: Path, error: OSError) -> StoreError:
    remedy = "run it as root, or choose another directory with --state-dir"
    return StoreError(
        f"can't {what} {path}: {error.strerror or error}",
        remedy if isinstance(error, PermissionError) else "",
    )
