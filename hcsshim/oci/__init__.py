"""
OCI bundles: the runtime specification, and how it becomes documents of HCS.

``read_bundle`` reads a bundle's ``config.json``; ``container`` describes what HCS is to
create for it, ``process_document`` what it is to start. ``Runtime`` does what an OCI
runtime does with it, and keeps containers' state between programs; the console script
``runhcs`` is its command line.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim.oci import annotation_keys as annotation_keys
    from hcsshim.oci.annotation_values import (
        AnnotationConflictError as AnnotationConflictError,
    )
    from hcsshim.oci.annotation_values import expand_annotations as expand_annotations
    from hcsshim.oci.bundle import check_spec as check_spec
    from hcsshim.oci.bundle import read_bundle as read_bundle
    from hcsshim.oci.bundle import read_process as read_process
    from hcsshim.oci.client import Runhcs as Runhcs
    from hcsshim.oci.client import RunhcsError as RunhcsError
    from hcsshim.oci.container_state import ContainerState as ContainerState
    from hcsshim.oci.container_state import Status as Status
    from hcsshim.oci.documents import container as container
    from hcsshim.oci.documents import container_text as container_text
    from hcsshim.oci.kinds import ContainerType as ContainerType
    from hcsshim.oci.kinds import PodRole as PodRole
    from hcsshim.oci.kinds import is_host_process as is_host_process
    from hcsshim.oci.kinds import is_isolated as is_isolated
    from hcsshim.oci.kinds import is_linux as is_linux
    from hcsshim.oci.kinds import is_windows as is_windows
    from hcsshim.oci.kinds import pod_role as pod_role
    from hcsshim.oci.limits import check_affinity as check_affinity
    from hcsshim.oci.limits import container_processors as container_processors
    from hcsshim.oci.linux import hosted_linux_document as hosted_linux_document
    from hcsshim.oci.linux import linux_container as linux_container
    from hcsshim.oci.processes import process_parameters as process_parameters
    from hcsshim.oci.runtime import Runtime as Runtime
    from hcsshim.oci.runtime import WrongStatusError as WrongStatusError
    from hcsshim.oci.scratch import create_scratch as create_scratch
    from hcsshim.oci.scratch import prepare_disk as prepare_disk
    from hcsshim.oci.signals import linux_signal as linux_signal
    from hcsshim.oci.signals import windows_signal as windows_signal
    from hcsshim.oci.spec import Box as Box
    from hcsshim.oci.spec import Capabilities as Capabilities
    from hcsshim.oci.spec import Hook as Hook
    from hcsshim.oci.spec import Hooks as Hooks
    from hcsshim.oci.spec import Mount as Mount
    from hcsshim.oci.spec import Process as Process
    from hcsshim.oci.spec import Rlimit as Rlimit
    from hcsshim.oci.spec import Root as Root
    from hcsshim.oci.spec import Spec as Spec
    from hcsshim.oci.spec import User as User
    from hcsshim.oci.spec_linux import DeviceRule as DeviceRule
    from hcsshim.oci.spec_linux import IdMapping as IdMapping
    from hcsshim.oci.spec_linux import Linux as Linux
    from hcsshim.oci.spec_linux import LinuxCpu as LinuxCpu
    from hcsshim.oci.spec_linux import LinuxDevice as LinuxDevice
    from hcsshim.oci.spec_linux import LinuxMemory as LinuxMemory
    from hcsshim.oci.spec_linux import LinuxPids as LinuxPids
    from hcsshim.oci.spec_linux import LinuxResources as LinuxResources
    from hcsshim.oci.spec_linux import Namespace as Namespace
    from hcsshim.oci.spec_windows import HyperV as HyperV
    from hcsshim.oci.spec_windows import Windows as Windows
    from hcsshim.oci.spec_windows import WindowsCpu as WindowsCpu
    from hcsshim.oci.spec_windows import WindowsCpuAffinity as WindowsCpuAffinity
    from hcsshim.oci.spec_windows import WindowsDevice as WindowsDevice
    from hcsshim.oci.spec_windows import WindowsMemory as WindowsMemory
    from hcsshim.oci.spec_windows import WindowsNetwork as WindowsNetwork
    from hcsshim.oci.spec_windows import WindowsResources as WindowsResources
    from hcsshim.oci.spec_windows import WindowsStorage as WindowsStorage
    from hcsshim.oci.state_store import NoContainerError as NoContainerError
    from hcsshim.oci.state_store import NoStateError as NoStateError
    from hcsshim.oci.state_store import StateStore as StateStore
    from hcsshim.oci.virtual_machine import RuntimeOptions as RuntimeOptions
    from hcsshim.oci.virtual_machine import vm_options_for as vm_options_for
    from hcsshim.oci.virtual_machine import with_runtime_options as with_runtime_options
    from hcsshim.oci.vm_options import LinuxVmOptions as LinuxVmOptions
    from hcsshim.oci.vm_options import VmDevice as VmDevice
    from hcsshim.oci.vm_options import VmOptions as VmOptions
    from hcsshim.oci.vm_options import WindowsVmOptions as WindowsVmOptions
    from hcsshim.oci.windows import WindowsOptions as WindowsOptions
    from hcsshim.oci.windows import check_credentials as check_credentials
    from hcsshim.oci.windows import windows_container as windows_container

#: Where each public name lives.
_HOMES = {
    "client": ("Runhcs", "RunhcsError"),
    "container_state": ("ContainerState", "Status"),
    "documents": ("container", "container_text"),
    "runtime": ("Runtime", "WrongStatusError"),
    "state_store": ("NoContainerError", "NoStateError", "StateStore"),
    "signals": ("linux_signal", "windows_signal"),
    "scratch": ("create_scratch", "prepare_disk"),
    "annotation_values": ("AnnotationConflictError", "expand_annotations"),
    "bundle": (
        "check_spec",
        "read_bundle",
        "read_process",
    ),
    "kinds": (
        "ContainerType",
        "PodRole",
        "is_host_process",
        "is_isolated",
        "is_linux",
        "is_windows",
        "pod_role",
    ),
    "limits": (
        "check_affinity",
        "container_processors",
    ),
    "linux": (
        "hosted_linux_document",
        "linux_container",
    ),
    "processes": ("process_parameters",),
    "spec": (
        "Box",
        "Capabilities",
        "Hook",
        "Hooks",
        "Mount",
        "Process",
        "Rlimit",
        "Root",
        "Spec",
        "User",
    ),
    "spec_linux": (
        "DeviceRule",
        "IdMapping",
        "Linux",
        "LinuxCpu",
        "LinuxDevice",
        "LinuxMemory",
        "LinuxPids",
        "LinuxResources",
        "Namespace",
    ),
    "spec_windows": (
        "HyperV",
        "Windows",
        "WindowsCpu",
        "WindowsCpuAffinity",
        "WindowsDevice",
        "WindowsMemory",
        "WindowsNetwork",
        "WindowsResources",
        "WindowsStorage",
    ),
    "virtual_machine": (
        "RuntimeOptions",
        "vm_options_for",
        "with_runtime_options",
    ),
    "vm_options": (
        "LinuxVmOptions",
        "VmDevice",
        "VmOptions",
        "WindowsVmOptions",
    ),
    "windows": (
        "WindowsOptions",
        "check_credentials",
        "windows_container",
    ),
}

_home_of = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_home_of, "annotation_keys"])  # noqa: PLE0605 - a list all the same


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - costs nothing here

    if name == "annotation_keys":
        return import_module("hcsshim.oci.annotation_keys")
    home = _home_of.get(name)
    if home is None:
        raise AttributeError(f"module 'hcsshim.oci' has no attribute {name!r}")
    value: object = getattr(import_module(f"hcsshim.oci.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
