"""The service of Windows, through the DLLs that Windows brings."""

from __future__ import annotations

from hcsshim._ffi import ffi, lib
from hcsshim._native import calls
from hcsshim._native.service import NativeService
from hcsshim.errors import check
from hcsshim.hresult import HResult

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from hcsshim._ffi import CData

#: What ``HCSSHIM_PROVIDER`` may be, and the generation of HCS it asks for; 0 is the
#: newer that is there.
GENERATIONS = {"system": 0, "vmcompute": 1, "computecore": 2}

_NO_MODULE: int = HResult.ERROR_MOD_NOT_FOUND
_NO_EXPORT: int = HResult.ERROR_PROC_NOT_FOUND

_FIRST_BUILD = 17763
#: The Windows build that brings an export, where it is not the first with its DLL.
BUILDS = {
    "HcsGrantVmGroupAccess": 19041,
    "HcsRevokeVmGroupAccess": 19041,
    "HcsGetProcessorCompatibilityFromSavedState": 20348,
    "HcsWaitForComputeSystemExit": 20348,
    "HcsWaitForProcessExit": 20348,
    "HcsSetupBaseOSVolume": 19645,
}


class SystemService(NativeService):
    """
    The Host Compute Service of this Windows.

    Args:
        provider: ``"system"``: computecore.dll where it is, else vmcompute.dll; or the
            name of one of the two.

    Raises:
        NotSupportedError: This Windows has no such DLL.
        ValueError: There is no such provider.

    Source:
        ``computecore.dll``, Windows build 17763 and newer; ``vmcompute.dll``, Windows
        Server 2016 and newer.
    """

    __slots__ = ()

    def _open(self, path: str) -> CData:
        generation = GENERATIONS.get(path)
        if generation is None:
            names = ", ".join(repr(name) for name in ("embedded", *GENERATIONS))
            raise ValueError(f"HCSSHIM_PROVIDER is {path!r}, not one of {names}")
        out = ffi.new("hcsshim_service **")
        code = lib.hcsshim_service_load(generation, out)
        check(code, "load", path, self._missing_dll(path) if code < 0 else None)
        native: CData = out[0]
        return native

    @staticmethod
    def _missing_dll(provider: str) -> str:
        dll = "computecore" if provider == "computecore" else "vmcompute"
        return _document(
            f"This machine has no {dll}.dll; the Windows features Containers and "
            "Hyper-V bring it, and HCSSHIM_PROVIDER=embedded does without"
        )

    def explain(self, call: str, hresult: int) -> str | None:
        """Name the DLL or the export that is missing, and what brings it."""
        if hresult not in (_NO_MODULE, _NO_EXPORT):
            return None
        dll = next(row.dll for row in calls.table() if row.name == call)
        if hresult == _NO_MODULE:
            return _document(
                f"This machine has no {dll}.dll, which {call} needs; Windows build "
                f"{_FIRST_BUILD} brings it with the feature Containers"
            )
        build = BUILDS.get(call)
        brings = (
            f"Windows build {build} brings it"
            if build
            else "a newer build of Windows may bring it"
        )
        return _document(f"{dll}.dll of this machine has no {call}; {brings}")


def _document(message: str) -> str:
    from json import dumps  # noqa: PLC0415 - for errors only

    return dumps({"ErrorMessage": message})
