"""Kernel settings under /proc/sys, and what they were before we changed them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from vnet_tui.engine.errors import DriverError
from vnet_tui.engine.files import write_atomically
from vnet_tui.engine.paths import Paths
from vnet_tui.engine.steps import RestoreSysctl, SetSysctl

_ROOT = Path("/proc/sys")


class Sysctl:
    """Reads and writes settings of the calling thread's namespaces.

    A key is the setting's path under /proc/sys, with slashes. What a setting was before our first
    change is kept in ``sysctl.json`` of the run directory, written before the setting is, so that
    it is never lost however we end. Calls take microseconds, but for the host-wide forwarding
    settings, which the kernel tells every interface of (up to 17 ms for a thousand). Errors are
    :class:`~vnet_tui.engine.errors.DriverError`.
    """

    def __init__(self, paths: Paths) -> None:
        self._file = paths.run / "sysctl.json"

    def read(self, key: str) -> str | None:
        """A setting's value, words separated by one space; None where the kernel has none."""
        try:
            return " ".join(_path(key).read_text().split())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DriverError(f"reading {key}: {error.strerror}") from error

    def set(self, step: SetSysctl) -> None:
        """Write a setting; with ``remember``, keep what it was before unless that is kept already
        (a repair of our own setting must not make the value that it repairs the original)."""
        if not step.remember:
            _write(step.key, step.after)
            return
        earlier = self.remembered()
        before = earlier[step.key][0] if step.key in earlier else step.before
        self._remember({**earlier, step.key: (before, step.after)})
        try:
            _write(step.key, step.after)
        except DriverError:
            self._remember(earlier)
            raise

    def restore(self, step: RestoreSysctl) -> None:
        """Put a setting back to ``after``, unless it is no longer ``before`` (somebody else
        decided otherwise) or is gone, and forget it."""
        if self.read(step.key) == step.before:
            _write(step.key, step.after)
        self._remember({k: v for k, v in self.remembered().items() if k != step.key})

    def remembered(self) -> Mapping[str, tuple[str, str]]:
        """The settings that we changed: what each was before, and what we set it to."""
        try:
            stored = json.loads(self._file.read_text())
            return {key: (str(before), str(after)) for key, (before, after) in stored.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise DriverError(f"reading {self._file}: {error.strerror}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise DriverError(
                f"{self._file} is damaged: {error}",
                "remove it; kernel settings then stay as they are now",
            ) from error

    def _remember(self, settings: Mapping[str, tuple[str, str]]) -> None:
        try:
            if settings:
                write_atomically(self._file, json.dumps(settings, indent=1, sort_keys=True) + "\n")
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            raise DriverError(f"writing {self._file}: {error.strerror}") from error


def _path(key: str) -> Path:
    """Where a setting is; a key that leads out of /proc/sys is refused."""
    if not all(part not in ("", ".", "..") for part in key.split("/")) or "\0" in key:
        raise DriverError(
            f"{key!r} is no kernel setting",
            "keys are paths under /proc/sys, as net/ipv4/ip_forward",
        )
    return _ROOT / key


def _write(key: str, value: str) -> None:
    path = _path(key)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(handle, f"{value}\n".encode())
        finally:
            os.close(handle)
    except FileNotFoundError as error:
        raise DriverError(
            f"setting {key} to {value}: this kernel has no such setting",
            "IPv6 is switched off in it" if key.startswith("net/ipv6/") else "",
        ) from error
    except OSError as error:
        raise DriverError(f"setting {key} to {value}: {error.strerror}") from error
