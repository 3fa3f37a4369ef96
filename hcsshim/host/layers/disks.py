"""
The virtual disks of layers: real VHDX files.

What a silo writes lies in folders, since the kernel mounts no VHDX; the disk gives a
writable layer its size, and holds a file system for whoever attaches it elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

from hcsshim.errors import HcsError
from hcsshim.host.layers import folders
from hcsshim.host.layers.trees import remove_tree
from hcsshim.host.results import Refusal, refuse
from hcsshim.hresult import HResult

#: What Windows gives a container that does not ask for another size.
DEFAULT_SIZE = 20 << 30
BLANK = "blank.vhdx"
_SUFFIX = ".vhdx"
_VOLUME_SUFFIX = ".volume"
#: As Linux containers of Windows have their scratch formatted.
_FEATURES = "^has_journal,sparse_super2,^resize_inode"
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def _refuse_disk(path: str, error: HcsError) -> Refusal:
    return refuse(error.hresult, f"The disk '{path}': {error}")


def create(path: str, size: int = DEFAULT_SIZE) -> None:
    """
    Make an empty dynamic disk.

    Raises:
        Refusal: There is no disk of this size.
    """
    from hcsshim.disk import create_vhdx  # noqa: PLC0415 - seldom needed

    try:
        create_vhdx(path, size)
    except HcsError as error:
        raise _refuse_disk(path, error) from None


def create_sandbox(folder: str, parents: tuple[str, ...]) -> None:
    """Make the disk of a writable layer: as the base has it blank, or a new one."""
    target = os.path.join(folder, folders.SANDBOX)
    blank = os.path.join(parents[-1], BLANK) if parents else ""
    if blank and os.path.isfile(blank):
        shutil.copyfile(blank, target)
    else:
        create(target)


def expand(path: str, size: int) -> None:
    """
    Make a disk larger.

    Raises:
        Refusal: It is not there, no VHDX, or larger already.
    """
    from hcsshim.disk import expand_vhdx, read_vhdx  # noqa: PLC0415 - seldom needed

    try:
        now = read_vhdx(path).size
        if size < now:
            raise refuse(
                HResult.ERROR_INVALID_PARAMETER,
                f"The disk '{path}' has {now} bytes and cannot shrink to {size}.",
            )
        if size > now:
            expand_vhdx(path, size)
    except HcsError as error:
        raise _refuse_disk(path, error) from None


def volume_of(path: str) -> str:
    """Give the folder that stands for the volume in a disk."""
    stem = path[: -len(_SUFFIX)] if path.lower().endswith(_SUFFIX) else path
    return stem + _VOLUME_SUFFIX


def require_volume(path: str) -> str:
    """
    Give the folder that stands for the volume in a formatted disk.

    Raises:
        Refusal: It was not formatted.
    """
    volume = volume_of(path)
    if not os.path.isfile(path) or not os.path.isdir(volume):
        raise refuse(
            HResult.ERROR_NOT_READY, f"The disk '{path}' was not formatted yet."
        )
    return volume


def format_writable(path: str) -> None:
    """
    Put an empty file system into a disk, and make the folder for its volume.

    Raises:
        Refusal: It is no VHDX, or this machine has no mkfs.ext4.
    """
    from hcsshim.disk import create_vhdx, read_vhdx  # noqa: PLC0415 - seldom needed

    program = shutil.which("mkfs.ext4", path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if program is None:
        raise refuse(
            HResult.ERROR_NOT_SUPPORTED,
            f"To format '{path}', mkfs.ext4 is needed; this machine has none.",
        )
    try:
        size = read_vhdx(path).size
        volume = volume_of(path)
        with tempfile.TemporaryFile(dir=os.path.dirname(path)) as image:
            image.truncate(size)
            _make_file_system(program, image.fileno(), path)
            create_vhdx(path, size, source=image)
        if os.path.lexists(volume):
            remove_tree(volume)
        folders.make_tree(volume)
    except HcsError as error:
        raise _refuse_disk(path, error) from None


def _make_file_system(program: str, image: int, path: str) -> None:
    arguments = ["-q", "-F", "-E", "lazy_itable_init=0,nodiscard", "-O", _FEATURES]
    made = subprocess.run(
        [program, *arguments, f"/proc/self/fd/{image}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        pass_fds=(image,),
        check=False,
        text=True,
    )
    if made.returncode != 0:
        raise refuse(
            HResult.E_FAIL, f"mkfs.ext4 failed for '{path}': {made.stderr.strip()}"
        )
