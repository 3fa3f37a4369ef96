"""Tars for tests, made by Python's tarfile."""

from __future__ import annotations

import io
import tarfile


class TarMaker:
    """Collects members, and gives the bytes of their tar."""

    def __init__(self, tar_format: int = tarfile.PAX_FORMAT) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.TarFile(fileobj=self._bytes, mode="w", format=tar_format)

    def add(
        self,
        name: str,
        data: bytes = b"",
        *,
        kind: bytes = tarfile.REGTYPE,
        **meta: object,
    ) -> TarMaker:
        """Add a member; ``meta`` are attributes of ``TarInfo``."""
        member = tarfile.TarInfo(name)
        member.type = kind
        member.size = len(data)
        for key, value in meta.items():
            setattr(member, key, value)
        self._tar.addfile(member, io.BytesIO(data))
        return self

    def folder(self, name: str, **meta: object) -> TarMaker:
        """Add a folder."""
        meta.setdefault("mode", 0o755)
        return self.add(name, kind=tarfile.DIRTYPE, **meta)

    def link(self, name: str, target: str, **meta: object) -> TarMaker:
        """Add a hard link."""
        return self.add(name, kind=tarfile.LNKTYPE, linkname=target, **meta)

    def symlink(self, name: str, target: str, **meta: object) -> TarMaker:
        """Add a symbolic link."""
        return self.add(name, kind=tarfile.SYMTYPE, linkname=target, **meta)

    def done(self) -> bytes:
        """Give the tar."""
        self._tar.close()
        return self._bytes.getvalue()
