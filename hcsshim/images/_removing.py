"""Removing images from a store."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from hcsshim.errors import NotFoundError

if TYPE_CHECKING:
    from hcsshim.images.store import Image, ImageStore


def remove(store: ImageStore, name: str) -> Image:
    """Remove a name; see :meth:`ImageStore.remove`."""
    if not store.root.is_dir():
        return store.find(name)  # which says that there is none
    with store.lock.alone():
        image = store.find(name)
        gone = {n for n in image.names if n in (name, f"{name}:latest")}
        left = tuple(n for n in image.names if n not in gone) if gone else ()
        if not left:
            _remove_layers(store, image)

        def change(names: dict[str, str]) -> None:
            for known, digest in tuple(names.items()):
                if digest == image.digest and known not in left:
                    del names[known]

        store.change_names(change)
        if not left:
            _remove_blobs(store)
    return attrs.evolve(image, names=left)


def _remove_layers(store: ImageStore, image: Image) -> None:
    """
    Remove the layers that no other image has, the topmost first.

    The service does it, which knows who runs on them: if somebody does, the first of
    them is in use already, and nothing is removed.
    """
    from hcsshim.layers import destroy_layer  # noqa: PLC0415 - seldom needed

    others = {
        diff_id
        for other in store.images()
        if other.digest != image.digest
        for diff_id in other.config.diff_ids
    }
    for diff_id in reversed(image.config.diff_ids):
        folder = store.layer_folder(diff_id)
        if diff_id not in others and folder.is_dir():
            with suppress(NotFoundError):
                destroy_layer(folder)


def _remove_blobs(store: ImageStore) -> None:
    """Remove the files that no image has."""
    needed: set[str] = set()
    for image in store.images():
        files = (image.manifest.config, *image.manifest.layers)
        needed.update((image.digest, *(file.digest for file in files)))
    for digest in store.blobs.all():
        if digest not in needed:
            store.blobs.path(digest).unlink()
