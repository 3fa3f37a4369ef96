# Made by async_to_sync.py of hcsshim/layers/_async_layer.py; do not edit.
"""Layers as objects; the blocking face from this module."""

from __future__ import annotations

import attrs

from hcsshim.hcs._drivers import drive
from hcsshim.layers import _steps as steps
from hcsshim.layers import _wclayer as calls
from hcsshim.layers._steps import full, full_all

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from uuid import UUID

    from hcsshim._native.port import Service
    from hcsshim.layers._steps import PathName


@attrs.define(eq=False)
class Layer:
    """
    A layer: its folder, and the layers below it.

    Making one makes nothing on the disk; :meth:`create` and its like do.

    Args:
        path: Its folder.
        parents: The folders of the layers below, the nearest first.
        service: Where; by default the process's shared connection.
    """

    path: str = attrs.field(converter=full)
    parents: tuple[str, ...] = attrs.field(default=(), converter=full_all)
    service: Service | None = attrs.field(default=None, kw_only=True, repr=False)

    @classmethod
    def create(cls, path: PathName, *, service: Service | None = None) -> Layer:
        """
        Make a read-only layer with nothing in it.

        Args:
            path: Its folder.
            service: As for the class.

        Raises:
            AlreadyExistsError: There is something.
        """
        calls.create_layer(path, service=service)
        return cls(path, service=service)

    @classmethod
    def create_scratch(
        cls,
        path: PathName,
        parents: Sequence[PathName],
        *,
        service: Service | None = None,
    ) -> Layer:
        """
        Make a writable layer on its parents.

        Args:
            path: Its folder.
            parents: As for the class; one at least.
            service: As for the class.

        Raises:
            AlreadyExistsError: There is something.
            NotFoundError: A parent is not there.
        """
        calls.create_scratch_layer(path, parents, service=service)
        return cls(path, parents, service=service)

    @classmethod
    def import_folder(
        cls,
        path: PathName,
        folder: PathName,
        parents: Sequence[PathName] = (),
        *,
        service: Service | None = None,
    ) -> Layer:
        """
        Make a read-only layer of a folder that carries what it changes.

        Args:
            path: Its folder.
            folder: What :meth:`export_folder` wrote.
            parents: As for the class.
            service: As for the class.

        Raises:
            AlreadyExistsError: There is a layer with something in it.
            InvalidDataError: It is no such folder.
        """
        calls.import_layer(path, folder, parents, service=service)
        return cls(path, parents, service=service)

    def export_folder(self, folder: PathName) -> None:
        """
        Write what the layer changes into a folder.

        Args:
            folder: Nothing may be in it.

        Raises:
            AlreadyExistsError: There is something in it.
            InvalidDataError: The layer has no parents.
        """
        calls.export_layer(self.path, folder, self.parents, service=self.service)

    def guid(self) -> UUID:
        """Give its id, which follows from the name of its folder."""
        name = self.path.replace("\\", "/").rpartition("/")[2]
        return calls.name_to_guid(name, service=self.service)

    def exists(self) -> bool:
        """Tell whether it is there."""
        return calls.layer_exists(self.path, service=self.service)

    def expand(self, size: int) -> None:
        """
        Make its disk larger, which a writable layer has.

        Args:
            size: In bytes.

        Raises:
            InvalidDataError: It is larger already, or the layer is read-only.
        """
        calls.expand_scratch_size(self.path, size, service=self.service)

    def destroy(self) -> None:
        """
        Remove it.

        Raises:
            NotFoundError: It is not there.
            InUseError: Somebody has it.
        """
        calls.destroy_layer(self.path, service=self.service)

    def mount(self) -> str:
        """
        Mount it on its parents; :meth:`mounted` does so for a block.

        Returns:
            Where it is seen.

        Raises:
            InUseError: It is mounted already.
        """
        parents = steps.descriptors(self.parents)
        return drive(steps.mount(self.service, self.path, parents))

    def unmount(self) -> None:
        """
        Unmount it.

        Raises:
            InUseError: Somebody is in it.
            NotFoundError: It is not mounted.
        """
        drive(steps.unmount(self.service, self.path))

    def mounted(self) -> MountedLayer:
        """
        Mount it for a ``with`` block, whose value is where it is seen.

        A prepared layer may be the scratch of a system: give the path as its
        ``scratch``, or the layer's own.
        """
        return MountedLayer(self)


class MountedLayer:
    """
    A layer that is mounted while a block runs.

    Args:
        layer: Which.
    """

    __slots__ = ("layer",)

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __enter__(self) -> str:
        """Mount it; gives where it is seen."""
        return self.layer.mount()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unmount it."""
        self.layer.unmount()
