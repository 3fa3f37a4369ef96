"""
Import and export layers, and convert their streams: the same on every platform.

    layers_script.py FOLDER NAME

``FOLDER`` has tars. Of each the layer ``NAME-TAR`` is made; it is exported again, and
so are the layers that another platform made there, but of tars named ``own-``, which
have links or names that Wine's files have not. What came out is printed as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from hcsshim.errors import HcsError
from hcsshim.layers import BackupTarReader, BackupTarWriter, export_tar, import_tar


class Hash:
    """A file that is its digest."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self.digest.update(data)
        return len(data)


def exported(layer: Path) -> str:
    """Give the digest of a layer's tar."""
    target = Hash()
    export_tar(layer, target)  # type: ignore[arg-type]
    return target.digest.hexdigest()


def streams(tar: Path) -> list[str]:
    """Give the digests of a tar's backup streams, and of the tar made of them."""
    files = hashlib.sha256()
    target = Hash()
    try:
        with (
            tar.open("rb") as source,
            BackupTarWriter(target) as writer,  # type: ignore[arg-type]
        ):
            for file in BackupTarReader(source):
                data = file.stream.read()
                files.update(repr((file.name, file.info, file.link_target)).encode())
                files.update(data)
                if file.link_target is not None:
                    writer.link(file.name, file.link_target, file.info)
                elif not file.is_removed:
                    writer.add(file.name, file.info, data)
            writer.finish()
    except HcsError as error:
        return [str(error)]
    return [files.hexdigest(), target.digest.hexdigest()]


def main() -> None:
    """Do it for every tar."""
    folder, name = Path(sys.argv[1]), sys.argv[2]
    outcomes = {}
    for tar in sorted(folder.glob("*.tar")):
        done = import_tar(tar, folder / f"{name}-{tar.stem}")
        makers = name if tar.stem.startswith("own-") else "*"
        layers = folder.glob(f"{makers}-{tar.stem}")
        outcomes[tar.stem] = {
            "imported": done.diff_id,
            "members": done.members,
            "exported": sorted({exported(layer) for layer in layers}),
            "streams": streams(tar) if tar.stat().st_size < 1 << 24 else [],
        }
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
