"""
Where in a running compute system a change goes.

The paths stand in ``ModifySettingRequest.resource_path``. Those that begin with
``VirtualMachine`` are for handles of virtual machines, those with ``Container`` for
containers. Comments name the type of the settings and the verbs in use.
"""

from __future__ import annotations

import hashlib

#: ``GpuConfiguration``; Update.
GPU = "VirtualMachine/ComputeTopology/Gpu"
#: Bare number of megabytes; no verb is sent.
MEMORY = "VirtualMachine/ComputeTopology/Memory/SizeInMB"
#: ``CpuGroup``, all zeros to leave it; no verb is sent.
CPU_GROUP = "VirtualMachine/ComputeTopology/Processor/CpuGroup"
#: ``IdleProcessorsRequest``; Update.
IDLED_PROCESSORS = "VirtualMachine/ComputeTopology/Processor/IdledProcessors"
#: Bare number; any verb.
CPU_FREQUENCY_POWER_CAP = (
    "VirtualMachine/ComputeTopology/Processor/CpuFrequencyPowerCap"
)
#: ``ProcessorLimits``; no verb is sent. Build 19042 and newer.
CPU_LIMITS = "VirtualMachine/ComputeTopology/Processor/Limits"
#: Settings are not known.
LICENSING = "VirtualMachine/Devices/Licensing"
#: ``Plan9Share``; Add, Remove.
PLAN9_SHARES = "VirtualMachine/Devices/Plan9/Shares"
#: ``SharedMemoryRegion``; any verb.
SHARED_MEMORY_REGIONS = "VirtualMachine/Devices/SharedMemory/Regions"
#: ``VirtualSmbShare``; Add, Update, Remove. Update changes the allowed files only.
VIRTUAL_SMB_SHARES = "VirtualMachine/Devices/VirtualSmb/Shares"
#: Not for changes: names the socket added to an operation of live migration.
LIVE_MIGRATION_SOCKET = "hcs:/VirtualMachine/LiveMigrationSocket"

#: Settings are not known.
CONTAINER_DEVICES = "Container/Devices/Generic"
#: ``MappedDirectory``; Add.
CONTAINER_MAPPED_DIRECTORIES = "Container/MappedDirectories"
#: ``MappedPipe``.
CONTAINER_MAPPED_PIPES = "Container/MappedPipes"
#: Bare number of megabytes; Update.
CONTAINER_MEMORY = "Container/Memory/SizeInMB"
#: ``RegistryFlushState``.
CONTAINER_REGISTRY_FLUSH_STATE = "Container/RegistryFlushState"
#: ``Processor``; Update. Build 19042 and newer.
CONTAINER_PROCESSOR = "Container/Processor"

SCSI_NAMESPACE = bytes.fromhex("d422512d2bf24752809d7b82b5fcb1b4")


def com_port(number: int) -> str:
    """
    Name a serial port; settings are a ``ComPort``.

    Args:
        number: 0 or 1.

    Returns:
        The path.
    """
    return f"VirtualMachine/Devices/ComPorts/{number}"


def flexible_iov(name: str) -> str:
    """
    Name an emulated device; settings are a ``FlexibleIoDevice``, the verb is Add.

    Args:
        name: Name of the device.

    Returns:
        The path.
    """
    return f"VirtualMachine/Devices/FlexibleIov/{name}"


def mapped_pipe(pipe: str) -> str:
    """
    Name a pipe of the host; Add and Remove, without settings.

    Args:
        pipe: Path or name of the pipe.

    Returns:
        The path.
    """
    return f"VirtualMachine/Devices/MappedPipes/{pipe}"


def network_adapter(adapter: str) -> str:
    """
    Name a network adapter; settings are a ``NetworkAdapter``; Add, Update, Remove.

    Args:
        adapter: GUID of the adapter.

    Returns:
        The path.
    """
    return f"VirtualMachine/Devices/NetworkAdapters/{adapter}"


def scsi_attachment(controller: str, lun: int) -> str:
    """
    Name a disk; settings are an ``Attachment``; Add, and Remove without settings.

    Args:
        controller: Name of the controller, see ``scsi_controller``.
        lun: Number of the disk on it.

    Returns:
        The path.
    """
    return f"VirtualMachine/Devices/Scsi/{controller}/Attachments/{lun}"


def scsi_controller(number: int) -> str:
    """
    Return the name that the reference library gives a SCSI controller.

    Args:
        number: Number of the controller, from 0.

    Returns:
        A GUID, version 5, made from the number as decimal text.
    """
    digest = hashlib.sha1(SCSI_NAMESPACE + b"%d" % number, usedforsecurity=False)
    raw = bytearray(digest.digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x50
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def virtual_pci(bus: str) -> str:
    """
    Name an assigned PCI device; settings are a ``VirtualPciDevice``; Add, Remove.

    Args:
        bus: VMBus GUID of the device.

    Returns:
        The path.
    """
    return f"VirtualMachine/Devices/VirtualPci/{bus}"


def virtual_pmem(number: int) -> str:
    """
    Name a persistent memory device; settings are a ``VirtualPMemDevice``.

    Args:
        number: Number of the device.

    Returns:
        The path, for Add, and for Remove without settings.
    """
    return f"VirtualMachine/Devices/VirtualPMem/Devices/{number}"


def virtual_pmem_mapping(number: int, offset_bytes: int) -> str:
    """
    Name an image inside persistent memory; settings are a ``VirtualPMemMapping``.

    Args:
        number: Number of the device.
        offset_bytes: Where in the device it begins.

    Returns:
        The path, for Add and Remove.
    """
    return f"{virtual_pmem(number)}/Mappings/{offset_bytes}"


def hv_socket_service(service: str) -> str:
    """
    Name a socket service; settings are a ``HvSocketServiceConfig``; Update, Remove.

    Args:
        service: GUID of the service.

    Returns:
        The path.
    """
    table = "VirtualMachine/Devices/HvSocket/HvSocketConfig/ServiceTable"
    return f"{table}/{service}"
