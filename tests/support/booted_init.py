"""The first process of a system that :mod:`tests.support.booted` boots. It makes what systemd is to
find, and becomes it: ``python -m tests.support.booted_init DIRECTORY CONSOLE``, in new namespaces.

The system is this one, in an overlay that is gone with it. What the kernel has only once can't be
written there: of ``/proc/sys`` only what belongs to the network namespace, no device, no module,
no clock. No unit of this host is known there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT, PROGRAMS = Path("/opt/vnet-tui"), Path("/opt/vnet-programs")
UNITS = Path("usr/lib/systemd/system")
TARGETS = ("basic", "sysinit", "sockets", "multi-user", "shutdown", "umount", "network")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "net/tun")
WITHOUT = "-sys_module,-sys_time,-sys_boot,-sys_rawio,-mknod,-syslog,-audit_control,-wake_alarm"


def mount(*arguments: str | Path) -> None:
    """Call mount(8)."""
    subprocess.run(["mount", *arguments], check=True)


def main(directory: Path, console: str) -> None:
    """Make the system and become its systemd."""
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "tmpfs", directory)
    upper, work, root = (directory / name for name in ("upper", "work", "root"))
    for made in (upper, work, root):
        made.mkdir()
    mount("-t", "overlay", "overlay", root, "-o", f"lowerdir=/,upperdir={upper},workdir={work}")
    _kernel(root)
    _devices(root, console)
    for name in ("run", "tmp", "etc/systemd/system", UNITS, "usr/lib/systemd/system-generators"):
        if (root / name).is_dir():
            mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root / name)
    for target in TARGETS:
        (root / UNITS / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    _programs(root)
    # Not just chroot(2): who enters the mount namespace gets to its root.
    (root / "mnt").mkdir(exist_ok=True)
    subprocess.run(["pivot_root", root, root / "mnt"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/mnt"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    systemd = ["/lib/systemd/systemd", "--system", "--unit=multi-user.target"]
    os.execve(  # noqa: S606
        "/usr/bin/setpriv",
        ["setpriv", f"--bounding-set={WITHOUT}", *systemd, "--log-target=console"],
        {"container": "test", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb"},
    )


def _programs(root: Path) -> None:
    """This checkout and its programs where a service sees them, wherever the checkout lies."""
    seen = root / CHECKOUT.relative_to("/")
    seen.mkdir(parents=True)
    mount("--bind", Path(__file__).parents[2], seen)
    environment = Path(sys.executable).parent.relative_to(Path(__file__).parents[2])
    programs = root / PROGRAMS.relative_to("/")
    programs.mkdir(parents=True)
    for name, module in (("vnet", "cli"), ("vnetd", "daemon")):
        program = programs / name
        program.write_text(
            f"#!{CHECKOUT / environment / 'python3'}\n"
            f"import sys\nsys.path.insert(0, {str(CHECKOUT)!r})\n"
            f"from vnet_tui.{module}.main import main\nsys.exit(main())\n"
        )
        program.chmod(0o755)


def _kernel(root: Path) -> None:
    """What the kernel shows of itself; its settings only to be read, but for those of networks."""
    mount("-t", "proc", "proc", root / "proc")
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        path = root / "proc" / name
        if path.exists():
            mount("--bind", path, path)
            mount("-o", "remount,bind,ro", path)
    mount("--bind", root / "proc/sys/net", root / "proc/sys/net")
    mount("-o", "remount,bind,rw", root / "proc/sys/net")
    mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
    mount("-t", "cgroup2", "cgroup2", root / "sys/fs/cgroup")


def _devices(root: Path, console: str) -> None:
    """A few devices of its own; what systemd writes on the console is read by the test."""
    dev = root / "dev"
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", dev)
    for name in DEVICES:
        (dev / name).parent.mkdir(exist_ok=True)
        (dev / name).touch()
        mount("--bind", Path("/dev", name), dev / name)
    (dev / "console").touch()
    mount("--bind", console, dev / "console")
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", dev / "pts")
    (dev / "ptmx").symlink_to("pts/ptmx")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
