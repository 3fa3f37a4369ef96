"""What importing and first using documents loads; a slow import is a regression."""

from __future__ import annotations

import json
import subprocess
import sys

IMPORT = "from hcsshim import documents as d"
FIRST_CALL = f"""
{IMPORT}
system = d.ComputeSystem(
    owner="x",
    schema_version=d.Version(major=2, minor=1),
    container=d.Container(
        storage=d.Storage(layers=(d.Layer(id="1", path="2"),), path="3"),
        mapped_directories=(d.MappedDirectory(host_path="4", container_path="5"),),
    ),
)
d.dumps(system)
d.dumps(d.ProcessParameters(command_line="x", environment={{"A": "B"}}))
"""
EDGE = {"_codecs", "_converter", "_document", "_plan", "_rules"}
USED = {
    "compute_system",
    "container",
    "mapped_directory",
    "process_parameters",
    "storage",
}


def loaded(code: str) -> set[str]:
    """Run code in a fresh interpreter and list the modules it loaded."""
    show = "import sys, json; before = set(sys.modules)\n{}\n"
    show += "print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run(
        [sys.executable, "-c", show.format(code)],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def ours(modules: set[str]) -> set[str]:
    """Pick the modules of this package, without its name."""
    prefix = "hcsshim.documents."
    return {name.removeprefix(prefix) for name in modules if name.startswith(prefix)}


def test_importing_the_package_loads_nothing() -> None:
    """The package itself is a table of names."""
    modules = loaded(IMPORT)

    assert ours(modules) == set()
    assert "attrs" not in modules


def test_the_first_call_loads_what_it_uses() -> None:
    """Starting a container loads its few classes and the JSON edge, no more."""
    modules = loaded(FIRST_CALL)

    assert ours(modules) == EDGE | USED
    assert not modules & {"cattrs", "uuid", "base64", "datetime", "pathlib"}


def test_results_load_no_models() -> None:
    """Reading why a call failed loads no other documents."""
    code = "from hcsshim.documents.results import parse_result; parse_result('{}')"

    assert ours(loaded(code)) == EDGE | {"results"}
