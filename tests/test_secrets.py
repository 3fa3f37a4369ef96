"""Environments, credentials and secrets are in no log, no repr and no error text."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest

import hcsshim
from hcsshim import CompletedProcess, ComputeSystem, HcsError, documents
from hcsshim.documents import v1

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PrivateHost

SECRET = "hunter2-is-a-secret"  # noqa: S105 - of nobody
MODELS: list[documents.Document] = [
    documents.ProcessParameters(command_line="x", environment={"KEY": SECRET}),
    v1.ProcessConfig(command_line="x", environment={"KEY": SECRET}),
    v1.ContainerConfig(system_type="Container", credentials=SECRET),
    documents.ContainerCredentialGuardState(cookie=SECRET, credential_spec=SECRET),
    documents.ContainerCredentialGuardAddInstanceRequest(
        id="x", credential_spec=SECRET, transport="LRPC"
    ),
    documents.LcowProcessParameters(oci_process={"env": [f"KEY={SECRET}"]}),
    documents.from_dict(documents.ProcessParameters, {"Password": SECRET}),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_models_do_not_show_them(model: documents.Document) -> None:
    """
    A document says that a secret is set, and not which.
    """
    outer = documents.ModifySettingRequest(resource_path="x", settings=model)

    assert SECRET not in repr(model)
    assert SECRET not in str(model)
    assert SECRET not in repr(outer)
    assert SECRET not in f"{documents.problems(model)}"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (documents.ProcessParameters, f'{{"Environment":["{SECRET}"]}}'),
        (documents.ProcessParameters, f'{{"Environment":{{"A":["{SECRET}"]}}}}'),
        (documents.ProcessParameters, f'{{"Environment":"{SECRET}"}}'),
        (v1.ContainerConfig, f'{{"Credentials":["{SECRET}"]}}'),
        (documents.ProcessParameters, f'{{"Environment":{{"A":"{SECRET}"}}'),
    ],
)
def test_errors_of_documents_do_not_show_them(
    kind: type[documents.Document], text: str
) -> None:
    """
    A document that cannot be read is refused without quoting the secret.
    """
    with pytest.raises(ValueError, match=r".") as caught:
        documents.loads(kind, text)

    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)
    shown = "".join(traceback.format_exception_only(caught.type, caught.value))
    assert SECRET not in shown


def test_results_of_runs_do_not_show_them() -> None:
    """
    What was run is shown without the variables that it got.
    """
    args = {"CommandLine": "tool --flag", "Environment": {"KEY": SECRET}}
    done = CompletedProcess(args, 3)

    assert SECRET not in repr(done)
    assert "tool --flag" in repr(done)
    with pytest.raises(HcsError) as caught:
        done.check_returncode()
    error = caught.value
    assert SECRET not in f"{error} {error!r} {vars(error)}"


@pytest.mark.host
@pytest.mark.linux
def test_calls_do_not_tell_them(
    host: PrivateHost, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """
    Neither the log of the library, nor that of the host, nor any failure has them.
    """
    caplog.set_level(logging.DEBUG)
    errors: list[HcsError] = []
    text = hcsshim.container_document()
    with ComputeSystem.create(f"secrets-{tmp_path.name}", text) as system:
        system.start()
        environment = {"KEY": SECRET}
        with system.create_process(["true"], env=environment) as process:
            process.communicate(timeout=60)
            assert SECRET not in repr(process)
        with pytest.raises(HcsError) as caught:
            system.create_process(["no-such-command"], env=environment)
        errors.append(caught.value)
        nonsense = {"CommandLine": "x", "Environment": 7, "Nonsense": SECRET}
        with pytest.raises(HcsError) as caught:
            system.create_process(nonsense)
        errors.append(caught.value)
        assert SECRET not in repr(system)
        system.terminate()
    with pytest.raises(HcsError) as caught:
        hcsshim.add_credential_guard("x", SECRET)
    errors.append(caught.value)

    for error in errors:
        assert SECRET not in f"{error} {error!r} {error.document} {error.events}"
    assert "HcsCreateProcess" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in host.log()
