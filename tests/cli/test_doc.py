"""``hcsshim doc``: documents in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from hcsshim.cli.doc import doc
from hcsshim.documents import to_dict, v1

if TYPE_CHECKING:
    from click.testing import Result

FIXTURES = Path(__file__).parents[1] / "fixtures"
CONTAINER = FIXTURES / "hcs" / "create-v1-process-isolation.json"


def run(*arguments: str, code: int = 0, data: str | None = None) -> Result:
    """Run the command in this process; its own group needs no host."""
    result = CliRunner().invoke(doc, list(arguments), input=data, standalone_mode=False)
    error = result.exception
    if isinstance(error, click.ClickException):
        assert code == error.exit_code, error
        result.output_bytes += error.format_message().encode()
        return result
    assert error is None, error
    assert code == (result.return_value or 0), result.output
    return result


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("hcs/create-v2-vm-scsi-boot", "hcs.ComputeSystem"),
        ("hcs/result-invalid-document", "hcs.ResultError"),
        ("hcs/answer-enumerate-vms", "v1.ContainerProperties"),
        ("hns/v1-network-nat-rs1.output", "hns.HNSNetwork"),
        ("hns/v2-loadbalancer-clusterip.output", "hcn.HostComputeLoadBalancer"),
    ],
)
def test_show_recognises(path: str, kind: str) -> None:
    """
    A document of any of the services is named, and written anew without loss.
    """
    file = str(FIXTURES / f"{path}.json")

    assert f"kind    {kind}" in run("show", file).stdout
    again = json.loads(run("show", "--json", file).stdout)
    original = json.loads(Path(file).read_text("utf-8"))
    assert isinstance(again, type(original))
    if isinstance(original, dict):
        assert set(original) <= set(again)


def test_show_tells_what_is_in_it() -> None:
    """
    Members stand under their paths; secrets are masked; unknown ones are named.
    """
    text = '{"CommandLine":"x","Environment":{"KEY":"hunter2"},"Nonsense":1}'
    shown = run("show", "--kind", "ProcessParameters", "-", data=text).stdout

    assert 'CommandLine = "x"' in shown
    assert "Environment = ***" in shown
    assert "hunter2" not in shown
    assert "unknown Nonsense" in shown


def test_validate_explains() -> None:
    """
    Everything that would be refused is told, with an exit code for programs.
    """
    text = (
        '{"SchemaVersion":{"Major":2,"Minor":5},"Container":{"Processor":'
        '{"Maximum":20000},"Memroy":{},"AdditionalDeviceNamespace":{}}}'
    )

    result = run("validate", "--build", "LTSC2019", "-", data=text, code=1)

    lines = result.output.splitlines()
    assert "Container.Processor.Maximum: a whole number" not in lines
    assert any(line.startswith("Container.Processor.Maximum: ") for line in lines)
    assert any(line.startswith("Container.Memroy: ") for line in lines)
    assert "SchemaVersion: asks for schema 2.5; the host has up to 2.1" in lines
    assert any("AdditionalDeviceNamespace: came with schema 2.3" in s for s in lines)
    assert "4 problems as hcs.ComputeSystem" in lines[-1]


@pytest.mark.parametrize("build", ["20348", "10.0.20348.1", "ltsc2022"])
def test_builds_have_names(build: str) -> None:
    """
    A build is a number, a version or a release.
    """
    text = '{"SchemaVersion":{"Major":2,"Minor":5},"Container":{}}'

    assert "fine" in run("validate", "--build", build, "-", data=text).stdout
    assert (
        "no version" in run("validate", "--build", "?", "-", data=text, code=2).output
    )


def test_upgrade(tmp_path: Path) -> None:
    """
    Schema 1 becomes schema 2, and the new document is fine.
    """
    output = tmp_path / "new.json"

    result = run("upgrade", "-o", str(output), str(CONTAINER))

    assert "left out, schema 2 has no place for it: Name" in result.output
    assert {"Major": 2, "Minor": 1} == json.loads(output.read_text())["SchemaVersion"]
    assert "fine as hcs.ComputeSystem" in run("validate", str(output)).output
    assert [output] == list(tmp_path.iterdir())
    printed = json.loads(run("upgrade", str(CONTAINER)).stdout)
    assert json.loads(output.read_text()) == printed


def test_upgrade_refuses(tmp_path: Path) -> None:
    """
    What schema 2 says otherwise is told, and no file is left.
    """
    output = tmp_path / "new.json"
    lcow = FIXTURES / "hcs" / "create-v1-lcow-initrd.json"

    assert "HvPartition" in run("upgrade", "-o", str(output), str(lcow), code=1).output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "is no JSON"),
        ("7", "name the kind"),
        ("{}", "name the kind"),
        ("", "JSON"),
    ],
)
def test_what_is_no_document(data: str, words: str) -> None:
    """
    One sentence says what is wrong with the file.
    """
    assert words in run("show", "-", data=data, code=1).output


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """
    A missing file and an unknown kind are named.
    """
    assert "No such file" in run("show", str(tmp_path / "missing"), code=1).output
    said = run("show", "--kind", "Nonsense", str(CONTAINER), code=1).output
    assert "Nonsense" in said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_windows(tmp_path: Path, encoding: str) -> None:
    """
    Files that Windows' own tools wrote are read, whatever their encoding.
    """
    file = tmp_path / "config.json"
    config = v1.ContainerConfig(system_type="Container", name="grün")
    file.write_text(json.dumps(to_dict(config), ensure_ascii=False), encoding)

    assert 'Name = "grün"' in run("show", str(file)).output


def test_kinds_are_listed() -> None:
    """
    Every kind can be given by the name that is listed.
    """
    names = run("kinds").stdout.split()

    assert {"hcs.ComputeSystem", "v1.ContainerConfig", "hcn.Route"} <= set(names)
