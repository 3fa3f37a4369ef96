"""Resource paths against their table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcsshim.documents import resource_paths as paths

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / ".ci" / "generate" / "schema"
TABLE = json.loads((SCHEMA / "resource-paths.json").read_text(encoding="utf-8"))
CONSTANTS = {value for name, value in vars(paths).items() if name.isupper()}
MADE = {
    "SerialResourceFormat": paths.com_port(1),
    "FlexibleIovResourceFormat": paths.flexible_iov("x"),
    "MappedPipeResourceFormat": paths.mapped_pipe("x"),
    "NetworkResourceFormat": paths.network_adapter("x"),
    "SCSIResourceFormat": paths.scsi_attachment("x", 1),
    "VirtualPCIResourceFormat": paths.virtual_pci("x"),
    "VPMemControllerResourceFormat": paths.virtual_pmem(1),
    "VPMemDeviceResourceFormat": paths.virtual_pmem_mapping(1, 1),
    "HvSocketConfigResourceFormat": paths.hv_socket_service("x"),
}


@pytest.mark.parametrize("row", TABLE["paths"], ids=lambda row: row["const"])
def test_path_is_that_of_the_table(row: dict) -> None:
    """Each path of the table is a constant, or made by a function."""
    expected = row["format"].replace("%s", "x").replace("%d", "1")

    assert expected == MADE.get(row["const"], expected)
    assert expected in CONSTANTS or row["const"] in MADE


@pytest.mark.parametrize("number", range(4))
def test_scsi_controllers_have_known_names(number: int) -> None:
    """The derived names are those that the table gives."""
    known = TABLE["enums"]["ScsiControllerGuid"]

    assert known[str(number)] == paths.scsi_controller(number)
