"""The parsers over anything that a fuzzer thinks of, for a few seconds each."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from programs import find_program

from hcsshim.layers import BackupStream, StreamId, join_streams

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

TAR = ["tar_header", "tar_pax", "tar_read", "tar_sparse"]
#: What reads and writes tars, below what makes files.
TAR_LAYERS = [
    *TAR,
    *("tar_write", "sink", "sink_beside", "file_unix", "names", "members"),
    *("sha256", "sha256_x86", "sha256_arm"),
    *("tree", "tree_unix", "tree_linux", "tree_attributes_linux", "overlay_unix"),
    *("unpack", "unpack_entry", "unpack_files", "unpack_kept", "unpack_work"),
    *("windows_meta", "backup", "reparse", "text", "../native/hresult_unix"),
    *("../events/gate_linux", "../events/thread_unix"),
]
#: Each target, what it is built with, and how often it is run.
TARGETS = {
    "fuzz_tar": (TAR, 40000),
    "fuzz_ext4": (
        [
            *TAR,
            *("ext4_attribute", "ext4_behind", "ext4_close", "ext4_io_linux"),
            *("ext4_io_unix", "ext4_names", "ext4_out", "ext4_tar", "ext4_tree"),
            "ext4_write",
            *("file_unix", "sink", "sink_beside", "sha256", "sha256_x86", "sha256_arm"),
            *("verity", "verity_file", "verity_hash", "verity_pool"),
            *("verity_read_unix", "../native/hresult_unix"),
            *("../events/gate_linux", "../events/thread_unix"),
        ],
        4000,
    ),
    "fuzz_backup": (
        [
            *TAR_LAYERS,
            *("backup_pack", "backup_records", "backup_scan", "backup_unpack"),
            "verity_read_unix",
        ],
        8000,
    ),
    "fuzz_layer": (
        [
            *TAR_LAYERS,
            *("pack", "pack_linux_unix", "pack_windows", "pack_new"),
            *("node_unix", "replay", "inherited", "walk"),
        ],
        1500,
    ),
}


def make_tar(archive_format: int) -> bytes:
    """Give a small tar with members of every kind."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=archive_format) as tar:
        for number, kind in enumerate(b"0123456"):
            member = tarfile.TarInfo(f"folder/{'x' * 60 * number}")
            member.type = bytes([kind])
            member.linkname = "y" * 30 * number
            member.mtime = 1.5
            if archive_format == tarfile.PAX_FORMAT:
                member.pax_headers = {"SCHILY.xattr.user.a": "b"}
            body = bytes(700) if kind == ord("0") else b""
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return target.getvalue()


def make_sparse_tar() -> bytes:
    """Give a tar with a sparse file in GNU's pax format 1.0."""
    target = io.BytesIO()
    body = b"2\n2\n3\n8\n2\n".ljust(512, b"\0") + b"abcde"
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("sparse")
        member.size = len(body)
        member.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.realsize": "12",
        }
        tar.addfile(member, io.BytesIO(body))
    return target.getvalue()


def make_windows_tar() -> bytes:
    """Give a tar of a Windows layer."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, link in (
            ("Files", b"5", ""),
            ("Files/a", b"0", ""),
            ("Files/a:s", b"0", ""),
            ("Files/b", b"1", "Files/a"),
            ("Files/c", b"2", "..\\x"),
            ("Files/.wh..wh.x", b"0", ""),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = link
            member.pax_headers = {
                "MSWINDOWS.fileattr": "32",
                "MSWINDOWS.rawsd": "AQAEgAAAAAAAAAAAAAAAAAAAAAA=",
                "MSWINDOWS.xattr.A": "AAEC",
                "LIBARCHIVE.creationtime": "1.0000001",
            }
            body = b"hello" if kind == b"0" else b""
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return target.getvalue()


def make_stream() -> bytes:
    """Give a Win32 backup stream: security, sparse data, an alternate stream."""
    return join_streams(
        [
            BackupStream(id=StreamId.SECURITY_DATA, data=bytes(20)),
            BackupStream(id=StreamId.DATA, attributes=8),
            BackupStream(id=StreamId.SPARSE_BLOCK, data=b"x", offset=5, attributes=8),
            BackupStream(id=StreamId.SPARSE_BLOCK, offset=9, attributes=8),
            BackupStream(id=StreamId.ALTERNATE_DATA, data=b"q", name=":a:$DATA"),
        ]
    )


def make_global_tar() -> bytes:
    """Give a tar with a file before and behind a global header."""

    def one_file(records: dict[str, str]) -> bytes:
        target = io.BytesIO()
        with tarfile.open(
            fileobj=target, mode="w", format=tarfile.PAX_FORMAT, pax_headers=records
        ) as tar:
            member = tarfile.TarInfo("file")
            member.size = 600
            tar.addfile(member, io.BytesIO(bytes(600)))
        return target.getvalue()

    return one_file({})[:1536] + one_file({"comment": "for all", "uname": "me"})


def write_seeds(folder: Path) -> None:
    """Write what the fuzzer starts from; two bytes in front are the target's."""
    folder.mkdir()
    tars = [
        make_tar(tarfile.GNU_FORMAT),
        make_tar(tarfile.PAX_FORMAT),
        make_sparse_tar(),
        make_global_tar(),
    ]
    for number, tar in enumerate(tars):
        (folder / f"{number}.tar").write_bytes(b"\2\x64" + tar)
    (folder / "windows.tar").write_bytes(b"\2\x64" + make_windows_tar())
    (folder / "linux.tar").write_bytes(b"\3\x64" + make_windows_tar())
    (folder / "stream").write_bytes(b"\1\x05" + make_stream())


@pytest.mark.parametrize("target", TARGETS)
def test_parser(target: str, tmp_path: Path) -> None:
    """
    A parser neither reads out of bounds nor contradicts itself, whatever it is given.
    """
    sources, runs = TARGETS[target]
    program = tmp_path / target
    subprocess.run(
        [
            find_program("clang"),
            *("-std=c11", "-D_GNU_SOURCE", "-g", "-O1"),
            "-fsanitize=fuzzer,address,undefined",
            "-fno-sanitize-recover=all",
            *("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"),
            f"-I{ROOT / 'csrc'}",
            *("-o", str(program)),
            str(HERE / f"{target}.c"),
            *(str(ROOT / "csrc" / "layer" / f"{name}.c") for name in sources),
            "-lpthread",
        ],
        check=True,
        timeout=300,
    )
    write_seeds(tmp_path / "seeds")

    result = subprocess.run(
        [program, f"-runs={runs}", "-seed=1", "-max_len=8192", tmp_path / "seeds"],
        check=False,
        capture_output=True,
        cwd=tmp_path,
        text=True,
        timeout=300,
    )

    assert result.returncode == 0, result.stderr
