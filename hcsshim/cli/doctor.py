"""``hcsshim doctor``: what this machine can do, what it lacks, and what to do then."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from hcsshim.cli.show import json_option
from hcsshim.cli.tables import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COLUMNS = ("CHECK", "STATE", "FOUND")
OK, WARNING, MISSING = "ok", "warning", "missing"
#: Packages that only some commands need, by what they are for.
EXTRAS = {
    "pyroute2": "networks on Linux: pip install 'hcsshim[net]'",
    "zstandard": "layers that are packed with zstd: pip install 'hcsshim[fast]'",
    "isal": "faster gzip: pip install 'hcsshim[fast]'",
}


class Finding(NamedTuple):
    """
    What one check found.

    Attributes:
        name: Of the check.
        state: ``ok``; ``warning``: something will not work; ``missing``: nothing will.
        found: What there is.
        advice: What to do about it; ``""`` if nothing.
    """

    name: str
    state: str
    found: str
    advice: str = ""


def check_library() -> Iterator[Finding]:
    """Look at the package and its native half."""
    from importlib.metadata import version  # noqa: PLC0415 - lazily

    from hcsshim._native import calls  # noqa: PLC0415 - as above

    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("library", OK, f"hcsshim {version('hcsshim')}, Python {python}")
    yield Finding("native calls", OK, f"{len(calls.table())} in the table")


def check_kernel() -> Iterator[Finding]:
    """Look for what isolation on Linux is made of."""
    import platform  # noqa: PLC0415 - lazily

    yield Finding("kernel", OK, f"{platform.system()} {platform.release()}")
    switches = ("user/max_user_namespaces", "kernel/unprivileged_userns_clone")
    allowed = all(read(f"/proc/sys/{name}") != "0" for name in switches)
    root = sys.platform != "win32" and os.geteuid() == 0
    if root or allowed:
        yield Finding("namespaces", OK, "allowed")
    else:
        yield Finding(
            "namespaces",
            MISSING,
            "not for ordinary users",
            "sysctl user.max_user_namespaces=10000, or run them with --unisolated",
        )
    if "overlay" in (read("/proc/filesystems") or ""):
        yield Finding("overlayfs", OK, "known to the kernel")
    else:
        advice = "load the module: modprobe overlay"
        yield Finding("overlayfs", WARNING, "not known to the kernel", advice)
    yield check_cgroups()


def read(path: str) -> str | None:
    """Read a file of the kernel; ``None`` if it is not there."""
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError:
        return None


def check_cgroups() -> Finding:
    """Look whether limits can be set and containers be paused."""
    root = Path("/sys/fs/cgroup")
    second = (root / "cgroup.controllers").exists()
    folders = [root] if second else [root / "memory", root / "freezer"]
    kind = "version 2" if second else "version 1"
    if all(os.access(folder, os.W_OK) for folder in folders):
        return Finding("cgroups", OK, f"{kind}, may be changed")
    return Finding(
        "cgroups",
        WARNING,
        f"{kind}, not for this user",
        "limits and pause need root, or a delegated group: "
        "systemd-run --user --scope -p Delegate=yes ...",
    )


def check_windows() -> Iterator[Finding]:
    """Look for the features, services and rights of Windows."""
    import ctypes  # noqa: PLC0415 - only there

    for name, what in (
        ("vmcompute.dll", "the feature Containers"),
        (
            "computecore.dll",
            "the feature Containers, since Server 2019",
        ),
        ("computenetwork.dll", "the feature Containers"),
        ("computestorage.dll", "Windows 10 2004 or Server 2022"),
    ):
        try:
            ctypes.CDLL(name)
        except OSError:  # noqa: PERF203 - four of them
            yield Finding(name, WARNING, "not there", f"it comes with {what}")
        else:
            yield Finding(name, OK, "there")
    shell = getattr(ctypes, "windll").shell32  # noqa: B009 - only there
    if shell.IsUserAnAdmin():
        yield Finding("rights", OK, "an administrator")
    else:
        advice = "run it as an administrator, or join Hyper-V Administrators"
        yield Finding("rights", WARNING, "an ordinary user", advice)


def check_host() -> Iterator[Finding]:
    """Ask the service what it is; the embedded one is started for that."""
    from hcsshim import capabilities, enumerate_systems  # noqa: PLC0415 - lazily

    known = capabilities()
    yield Finding("provider", OK, known.provider)
    yield Finding("build", OK, f"{known.version} ({known.version.name})")
    versions = ", ".join(f"{major}.{minor}" for major, minor in known.schema_versions)
    yield Finding("schema versions", OK, versions)
    missing = [str(f) for f in features() if not known.supports(f)]
    yield Finding("features", OK, f"all but {', '.join(missing)}" if missing else "all")
    yield Finding("systems", OK, str(len(enumerate_systems())))


def features() -> list[str]:
    """Name the features that builds differ in."""
    from hcsshim.builds import Feature  # noqa: PLC0415 - lazily

    return [str(feature) for feature in Feature]


def check_image(version: str) -> Iterator[Finding]:
    """Hold the build of an image against that of the host."""
    from hcsshim import capabilities  # noqa: PLC0415 - lazily

    known = capabilities()
    if known.runs_image(version):
        yield Finding("image", OK, f"{version} runs on {known.version}")
    else:
        yield Finding(
            "image",
            WARNING,
            f"{version} does not run on {known.version} with process isolation",
            "use an image of the host's build, or hypervisor isolation",
        )


def check_run() -> Iterator[Finding]:
    """Run a command in a container, which shows more than any other check."""
    from hcsshim import run  # noqa: PLC0415 - lazily

    done = run(["true"], timeout=60)
    state = OK if done.returncode == 0 else MISSING
    yield Finding("a container", state, f"ran, exit code {done.returncode}")


def check_extras() -> Iterator[Finding]:
    """Look for packages that some commands need."""
    from importlib.util import find_spec  # noqa: PLC0415 - lazily

    for name, purpose in EXTRAS.items():
        if find_spec(name) is not None:
            yield Finding(name, OK, "there")
        else:
            what, _, advice = purpose.partition(": ")
            yield Finding(name, WARNING, f"not there; it is for {what}", advice)


def look(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Run a check; its failure is a finding, too."""
    try:
        yield from check()
    except (OSError, ValueError, ImportError) as error:
        hint = getattr(error, "hint", "")
        text = " ".join(str(error).split())
        yield Finding(name, MISSING, text, hint if isinstance(hint, str) else "")


def findings(*, running: bool, image: str | None = None) -> list[Finding]:
    """Run every check for this machine."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {"library": check_library}
    if sys.platform == "win32":
        checks["windows"] = check_windows
    elif sys.platform.startswith("linux"):
        checks["kernel"] = check_kernel
    checks["host"] = check_host
    if image is not None:
        checks["image"] = partial(check_image, image)
    if running:
        checks["a container"] = check_run
    checks["extras"] = check_extras
    return [found for name, check in checks.items() for found in look(name, check)]


@click.command()
@click.option("--no-run", is_flag=True, help="Run no container for it.")
@click.option(
    "--image",
    metavar="VERSION",
    help="Tell also whether an image of this os.version runs here: 10.0.20348.1.",
)
@json_option
def doctor(*, no_run: bool, image: str | None, as_json: bool) -> int:
    """
    Tell what this machine can do, what it lacks, and what to do about it.

    Exits with 1 if containers will not work.
    """
    found = findings(running=not no_run, image=image)
    if as_json:
        print_json([finding._asdict() for finding in found])
    else:
        print_table(
            COLUMNS,
            [
                {"CHECK": item.name, "STATE": item.state, "FOUND": item.found}
                for item in found
            ],
        )
        for item in found:
            if item.advice:
                click.echo(f"{item.name}: {item.advice}")
    return 1 if any(item.state == MISSING for item in found) else 0
