"""
Generate the blocking face from the awaitable one.

Run it without arguments to write the generated modules; with ``--check`` it writes
nothing and fails if one is out of date. Tokens are renamed, ``async`` and ``await``
dropped; names inside docstrings are renamed too, so that each face documents itself.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Source and what is generated from it.
MODULES = {
    "hcsshim/hcs/_async_system.py": "hcsshim/hcs/_system.py",
    "hcsshim/hcs/_async_queries.py": "hcsshim/hcs/_queries.py",
    "hcsshim/hcs/_async_migration.py": "hcsshim/hcs/_migration.py",
    "hcsshim/hcs/_async_operation.py": "hcsshim/hcs/_operation.py",
    "hcsshim/hcs/_async_files.py": "hcsshim/hcs/_files.py",
    "hcsshim/hcs/_async_host_settings.py": "hcsshim/hcs/_host_settings.py",
    "hcsshim/hcs/_async_capabilities.py": "hcsshim/hcs/_capabilities.py",
    "hcsshim/hcs/_async_process.py": "hcsshim/hcs/_process.py",
    "hcsshim/hcs/_async_events.py": "hcsshim/hcs/_event_stream.py",
    "hcsshim/hcs/_async_service.py": "hcsshim/hcs/_service.py",
    "hcsshim/hcs/_async_run.py": "hcsshim/hcs/_run.py",
    "hcsshim/layers/_async_layer.py": "hcsshim/layers/_layer.py",
    "hcsshim/layers/_async_storage.py": "hcsshim/layers/_storage.py",
    "hcsshim/layers/_async_wclayer.py": "hcsshim/layers/_wclayer.py",
    "hcsshim/hcn/_async_objects.py": "hcsshim/hcn/_objects.py",
    "hcsshim/hcn/_async_network.py": "hcsshim/hcn/_network.py",
    "hcsshim/hcn/_async_endpoint.py": "hcsshim/hcn/_endpoint.py",
    "hcsshim/hcn/_async_namespace.py": "hcsshim/hcn/_namespace.py",
    "hcsshim/hcn/_async_balancer.py": "hcsshim/hcn/_balancer.py",
    "hcsshim/hcn/_async_events.py": "hcsshim/hcn/_network_events.py",
    "hcsshim/hcn/_async_service.py": "hcsshim/hcn/_service.py",
    "hcsshim/hcn/_async_guest_network.py": "hcsshim/hcn/_guest_network.py",
    "hcsshim/hns/_async_service.py": "hcsshim/hns/_service.py",
    "tests/hcn/test_async_networks.py": "tests/hcn/test_networks.py",
    "tests/hcn/test_async_guest_network.py": "tests/hcn/test_guest_network.py",
    "tests/hns/test_async_requests.py": "tests/hns/test_requests.py",
    "tests/hcs/test_async_system.py": "tests/hcs/test_system.py",
    "tests/hcs/test_async_process.py": "tests/hcs/test_process.py",
    "tests/hcs/test_async_end_to_end.py": "tests/hcs/test_end_to_end.py",
}

HEADER = "# Made by async_to_sync.py of {source}; do not edit.\n"

#: Names with another name in the blocking face; anything else with "async" in it
#: loses that part.
NAMES = {
    "adrive": "drive",
    "aclose": "close",
    "anext": "next",
    "aiter": "iter",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration",
    "_async_events": "_event_stream",
}

#: Words of docstrings.
WORDS = {
    "awaitable; the blocking face is generated from this module": "blocking",
    "awaitable; the blocking face is generated": "blocking",
    "the blocking face is generated": "the blocking face",
    "tasks and threads": "threads",
}


def rename(name: str) -> str:
    """Give a name of the awaitable face its form in the blocking one."""
    if name in NAMES:
        return NAMES[name]
    if name.startswith("Async"):
        return name[len("Async") :]
    if name.startswith("async_"):
        return name[len("async_") :]
    return name.replace("_async_", "_")


def convert_text(text: str) -> str:
    """Rename what a string or comment mentions."""
    for words, instead in WORDS.items():
        text = text.replace(words, instead)
    return re.sub(r"\b\w+\b", lambda match: rename(match[0]), text)


def convert(source: str) -> str:
    """Turn the text of an awaitable module into that of its blocking twin."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    pieces: list[str] = []
    done = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        first = starts[token.start[0] - 1] + token.start[1]
        last = starts[token.end[0] - 1] + token.end[1]
        if token.type == tokenize.NAME and token.string in ("async", "await"):
            replacement = ""
            while source[last] == " ":
                last += 1
        elif token.type == tokenize.NAME:
            replacement = rename(token.string)
        elif token.type in (tokenize.STRING, tokenize.COMMENT):
            replacement = convert_text(token.string)
        else:
            continue
        pieces += source[done:first], replacement
        done = last
    return "".join(pieces) + source[done:]


def generate(source: str) -> str:
    """
    Give what the twin of a module must contain, formatted.

    Args:
        source: Path below the root of the repository.
    """
    text = convert((ROOT / source).read_text(encoding="utf-8"))
    text = HEADER.format(source=source) + text
    for command in (
        [
            "check",
            "--fix-only",
            "--quiet",
            "--select",
            "I,RUF022,RUF023,C416,SIM117",
            "--unsafe-fixes",
        ],
        ["format", "--quiet"],
    ):
        text = subprocess.run(
            [
                *(sys.executable, "-m", "ruff", *command),
                *("--stdin-filename", str(ROOT / MODULES[source]), "-"),
            ],
            input=text,
            capture_output=True,
            check=True,
            text=True,
            cwd=ROOT,
        ).stdout
    return text


def shape(text: str) -> str:
    """Give what a module means, whatever its formatting and order of imports."""
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            node.names.sort(key=lambda alias: alias.name)
    for node in nodes:
        body = getattr(node, "body", None)
        if isinstance(body, list):
            imports = [n for n in body if isinstance(n, (ast.Import, ast.ImportFrom))]
            imports.sort(key=ast.dump)
            others = [n for n in body if n not in imports]
            node.body = [*others, *imports]  # type: ignore[attr-defined]  # it has one
    return ast.dump(tree)


def outdated() -> list[str]:
    """
    List the generated modules that are not what their source gives.

    Formatting is not compared, so that no formatter is needed to check.
    """
    found = []
    for source, target in MODULES.items():
        header = HEADER.format(source=source)
        text = header + convert((ROOT / source).read_text(encoding="utf-8"))
        path = ROOT / target
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        if shape(committed) != shape(text) or not committed.startswith(header):
            found.append(target)
    return found


def main() -> int:
    """Write or check every generated module."""
    if "--check" in sys.argv:
        wrong = outdated()
        if wrong:
            sys.stderr.write(f"out of date: {', '.join(wrong)}\n")
        return 1 if wrong else 0
    for source, target in MODULES.items():
        text = generate(source)
        path = ROOT / target
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
