"""
What to do about the failures that people meet.

A hint is advice, not a diagnosis: the same code has several causes, and the usual one
is named. It is kept apart from the error's text, which says only what is known.

Source:
    Public reports of failures of HCS, and the documentation of Windows containers.
"""

from __future__ import annotations

from hcsshim.hresult import HResult, normalise

__all__ = ["hint_of"]

_HINTS: dict[int, str] = {
    HResult.HCS_E_TERMINATED_DURING_START: "Look into the guest's own log: it ended "
    "before it was up, often for a damaged layer or too little memory.",
    HResult.HCS_E_IMAGE_MISMATCH: "Use an image of the host's own build, or "
    "hypervisor isolation; `hcsshim doctor` tells the build.",
    HResult.HCS_E_HYPERV_NOT_INSTALLED: "Install the features Hyper-V and Containers "
    "and restart, or use process isolation, which needs no hypervisor.",
    HResult.HCS_E_INVALID_STATE: "Ask for the state (`hcsshim inspect`) before you "
    "repeat the call; while another system is being removed the service answers this "
    "as well, then a moment later it works.",
    HResult.HCS_E_UNEXPECTED_EXIT: "Look at the exit's attribution and the log of the "
    "guest: it ended, or its worker process did, without being asked.",
    HResult.HCS_E_CONNECTION_TIMEOUT: "The guest started but did not report back; look "
    "whether its image has the guest service, and give it more memory.",
    HResult.HCS_E_UNKNOWN_MESSAGE: "The guest is older than what it was asked for; "
    "update its image.",
    HResult.HCS_E_UNSUPPORTED_PROTOCOL_VERSION: "Client and service are of different "
    "versions; on the embedded host `hcsshim host stop` lets a new one start.",
    HResult.HCS_E_INVALID_JSON: "`hcsshim doc validate FILE` names the field; an older "
    "host refuses fields that it does not know yet in the same way.",
    HResult.HCS_E_SYSTEM_NOT_FOUND: "`hcsshim ps` lists the ids there are; a system "
    "is gone once it has ended.",
    HResult.HCS_E_SYSTEM_ALREADY_EXISTS: "An earlier run left it behind, perhaps: "
    "`hcsshim ps`, then `hcsshim rm --force ID`.",
    HResult.HCS_E_SYSTEM_ALREADY_STOPPED: "It has ended; there is nothing to stop. "
    "Create it anew to use it again.",
    HResult.HCS_E_SERVICE_NOT_AVAILABLE: "Install the feature Containers, or start the "
    "service vmcompute; `hcsshim doctor` tells what is missing.",
    HResult.HCS_E_OPERATION_TIMEOUT: "It may still come to an end; wait longer with "
    "timeout=, or the environment's HCSSHIM_TIMEOUT_*.",
    HResult.HCS_E_ACCESS_DENIED: "Run it as an administrator, or join the group "
    "Hyper-V Administrators and log on again.",
    HResult.HCS_E_GUEST_CRITICAL_ERROR: "The guest's operating system crashed; its "
    "dump has the reason, if the document asks for one.",
    HResult.HCS_E_SERVICE_DISCONNECT: "The service was restarted: open the systems "
    "again by their ids; containers that it ran may be gone.",
    HResult.ERROR_FILE_NOT_FOUND: "Look for the file where the container looks: a "
    "command is searched in the container's PATH, and built-ins need `cmd /c`.",
    HResult.ERROR_PATH_NOT_FOUND: "A layer, a mapped directory or the working "
    "directory is not where the document says; paths must be absolute.",
    HResult.ERROR_ACCESS_DENIED: "When a virtual machine starts, its account needs "
    "access to each disk: `hcsshim.grant_vm_access`. Else run it with more rights.",
    HResult.ERROR_SHARING_VIOLATION: "Another program has the file open, often a "
    "virus scanner or a system that still has the layer mounted.",
    HResult.ERROR_NOT_SUPPORTED: "This host, or this kind of system, cannot do it; "
    "`hcsshim doctor` tells what the host can.",
    HResult.ERROR_PROC_NOT_FOUND: "The DLL is older than this call; it needs a newer "
    "build of Windows.",
    HResult.ERROR_NOT_FOUND: "It is gone already, or never was; when cleaning up that "
    "is success.",
    HResult.ERROR_LOGON_FAILURE: "Name a user that the container has (ContainerUser, "
    "ContainerAdministrator; on Linux one of its /etc/passwd).",
    HResult.ERROR_LOGON_TYPE_NOT_GRANTED: "A group policy took the right to log on as "
    "a service from NT VIRTUAL MACHINE\\Virtual Machines; give it back.",
    HResult.ERROR_NO_SYSTEM_RESOURCES: "The machine has not enough memory or handles "
    "left; end systems that nobody needs: `hcsshim prune`.",
    HResult.ERROR_VIRTUAL_DISK_LIMITATION: "Look whether the disk is compressed, "
    "encrypted or sparse: Windows attaches none of these.",
    HResult.HV_STATUS_NO_HYPERVISOR: "Switch virtualisation on in the firmware, or use "
    "process isolation.",
    HResult.HCN_E_NETWORK_NOT_FOUND: "List the networks there are; ids change when a "
    "network is made anew.",
    HResult.HCN_E_NETWORK_ALREADY_EXISTS: "Use the network that exists, or delete it.",
    HResult.HCN_E_PORT_ALREADY_EXISTS: "Another endpoint has the port; publish another "
    "one.",
}


def hint_of(hresult: int) -> str:
    """
    Give advice about a failure.

    Args:
        hresult: Signed or unsigned, in either form of HCS's own codes.

    Returns:
        A sentence or two; ``""`` where there is nothing to say.
    """
    return _HINTS.get(normalise(hresult), "")
