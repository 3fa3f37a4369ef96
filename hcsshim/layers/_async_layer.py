"""Layers as objects; the blocking face is generated from this module."""

from __future__ import annotations

import attrs

from hcsshim.hcs._drivers import adrive
from hcsshim.layers import _async_wclayer as calls
from hcsshim.layers import _steps as steps
from hcsshim.layers._steps import full, full_all

TYPE_CHECKING = False  # typing costs more to import than the rest of the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from uuid import UUID

    from hcsshim._native.port import Service
    from hcsshim.layers._steps import PathName


@attrs.define(eq=False)
class AsyncLayer:
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
    async def create(
        cls, path: PathName, *, service: Service | None = None
    ) -> AsyncLayer:
        """
        Make a read-only layer with nothing in it.

        Args:
            path: Its folder.
            service: As for the class.

        Raises:
            AlreadyExistsError: There is something.
        """
        await calls.async_create_layer(path, service=service)
        return cls(path, service=service)

    @classmethod
    async def create_scratch(
        cls,
        path: PathName,
        parents: Sequence[PathName],
        *,
        service: Service | None = None,
    ) -> AsyncLayer:
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
        await calls.async_create_scratch_layer(path, parents, service=service)
        return cls(path, parents, service=service)

    @classmethod
    async def import_folder(
        cls,
        path: PathName,
        folder: PathName,
        parents: Sequence[PathName] = (),
        *,
        service: Service | None = None,
    ) -> AsyncLayer:
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
        await calls.async_import_layer(path, folder, parents, service=service)
        return cls(path, parents, service=service)

    async def export_folder(self, folder: PathName) -> None:
        """
        Write what the layer changes into a folder.

        Args:
            folder: Nothing may be in it.

        Raises:
            AlreadyExistsError: There is something in it.
            InvalidDataError: The layer has no parents.
        """
        await calls.async_export_layer(
            self.path, folder, self.parents, service=self.service
        )

    async def guid(self) -> UUID:
        """Give its id, which follows from the name of its folder."""
        name = self.path.replace("\\", "/").rpartition("/")[2]
        return await calls.async_name_to_guid(name, service=self.service)

    async def exists(self) -> bool:
        """Tell whether it is there."""
        return await calls.async_layer_exists(self.path, service=self.service)

    async def expand(self, size: int) -> None:
        """
        Make its disk larger, which a writable layer has.

        Args:
            size: In bytes.

        Raises:
            InvalidDataError: It is larger already, or the layer is read-only.
        """
        await calls.async_expand_scratch_size(self.path, size, service=self.service)

    async def destroy(self) -> None:
        """
        Remove it.

        Raises:
            NotFoundError: It is not there.
            InUseError: Somebody has it.
        """
        await calls.async_destroy_layer(self.path, service=self.service)

    async def mount(self) -> str:
        """
        Mount it on its parents; :meth:`mounted` does so for a block.

        Returns:
            Where it is seen.

        Raises:
            InUseError: It is mounted already.
        """
        parents = steps.descriptors(self.parents)
        return await adrive(steps.mount(self.service, self.path, parents))

    async def unmount(self) -> None:
        """
        Unmount it.

        Raises:
            InUseError: Somebody is in it.
            NotFoundError: It is not mounted.
        """
        await adrive(steps.unmount(self.service, self.path))

    def mounted(self) -> AsyncMountedLayer:
        """
        Mount it for a ``with`` block, whose value is where it is seen.

        A prepared layer may be the scratch of a system: give the path as its
        ``scratch``, or the layer's own.
        """
        return AsyncMountedLayer(self)


class AsyncMountedLayer:
    """
    A layer that is mounted while a block runs.

    Args:
        layer: Which.
    """

    __slots__ = ("layer",)

    def __init__(self, layer: AsyncLayer) -> None:
        self.layer = layer

    async def __aenter__(self) -> str:
        """Mount it; gives where it is seen."""
        return await self.layer.mount()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unmount it."""
        await self.layer.unmount()
