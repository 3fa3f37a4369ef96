"""
Disk formats around containers: ext4 images, VHD and VHDX, GPT, dm-verity.

The names below are loaded when they are first used, so that importing the package
costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself takes longer to import than all of this
if TYPE_CHECKING:
    from hcsshim.disk.ext4 import (
        Ext4Image,
        ext4_root_hash,
        tar_to_ext4,
    )
    from hcsshim.disk.ext4_reading import (
        Ext4Entry,
        Ext4Info,
        ext4_info,
        ext4_to_tar,
        list_ext4,
        read_ext4_file,
    )
    from hcsshim.disk.verification import (
        VerityMismatchError,
        verify,
    )
    from hcsshim.disk.verity import (
        VerityInfo,
        VeritySuperblock,
        VerityTree,
        append_verity,
        ext4_size,
        read_verity,
        verity_tree,
        write_hash_device,
    )
    from hcsshim.disk.vhd import (
        VhdFooter,
        append_vhd_footer,
        create_vhd,
        read_vhd,
        remove_vhd_footer,
    )
    from hcsshim.disk.vhdx import (
        VhdxInfo,
        VhdxLogError,
        check_vhdx,
        read_vhdx,
        read_vhdx_data,
    )
    from hcsshim.disk.vhdx_writing import (
        create_differencing_vhdx,
        create_vhdx,
        expand_vhdx,
    )

#: In which module each public name is.
_MODULES = {
    "Ext4Entry": "ext4_reading",
    "Ext4Image": "ext4",
    "Ext4Info": "ext4_reading",
    "VerityInfo": "verity",
    "VerityMismatchError": "verification",
    "VeritySuperblock": "verity",
    "VerityTree": "verity",
    "VhdFooter": "vhd",
    "VhdxInfo": "vhdx",
    "VhdxLogError": "vhdx",
    "append_verity": "verity",
    "append_vhd_footer": "vhd",
    "check_vhdx": "vhdx",
    "create_differencing_vhdx": "vhdx_writing",
    "create_vhd": "vhd",
    "create_vhdx": "vhdx_writing",
    "expand_vhdx": "vhdx_writing",
    "ext4_info": "ext4_reading",
    "ext4_root_hash": "ext4",
    "ext4_size": "verity",
    "ext4_to_tar": "ext4_reading",
    "list_ext4": "ext4_reading",
    "read_ext4_file": "ext4_reading",
    "read_verity": "verity",
    "read_vhd": "vhd",
    "read_vhdx": "vhdx",
    "read_vhdx_data": "vhdx",
    "remove_vhd_footer": "vhd",
    "tar_to_ext4": "ext4",
    "verify": "verification",
    "verity_tree": "verity",
    "write_hash_device": "verity",
}

__all__ = [
    "Ext4Entry",
    "Ext4Image",
    "Ext4Info",
    "VerityInfo",
    "VerityMismatchError",
    "VeritySuperblock",
    "VerityTree",
    "VhdFooter",
    "VhdxInfo",
    "VhdxLogError",
    "append_verity",
    "append_vhd_footer",
    "check_vhdx",
    "create_differencing_vhdx",
    "create_vhd",
    "create_vhdx",
    "expand_vhdx",
    "ext4_info",
    "ext4_root_hash",
    "ext4_size",
    "ext4_to_tar",
    "list_ext4",
    "read_ext4_file",
    "read_verity",
    "read_vhd",
    "read_vhdx",
    "read_vhdx_data",
    "remove_vhd_footer",
    "tar_to_ext4",
    "verify",
    "verity_tree",
    "write_hash_device",
]


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only when it is used

    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
