"""``hcsshim doc``: documents of HCS, HNS and HCN, in files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hcsshim.cli.tables import print_json

if TYPE_CHECKING:
    from hcsshim.documents import JSON, Document, Kind

file_argument = click.argument("file", metavar="FILE")
kind_option = click.option(
    "--kind",
    "kind_name",
    metavar="KIND",
    help="What FILE is, instead of recognising it; see `hcsshim doc kinds`.",
)


@click.group()
def doc() -> None:
    """
    Show, check and upgrade documents of HCS, HNS and HCN.

    FILE is a file of JSON; - reads stdin. What kind of document it is is recognised
    by what is in it.

    \b
    Examples:
      hcsshim doc show config.json
      hcsshim doc validate --build 17763 config.json
      hcsshim doc upgrade old.json > new.json
    """  # noqa: D301 - click's mark for text to be left as it is


def read_file(file: str) -> JSON:
    """
    Read the JSON of a file, in any of the encodings that Windows writes.

    Raises:
        click.ClickException: There is none, or it is no JSON.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file!r}: {error.strerror}") from error
    encoding = "utf-8-sig"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        value: JSON = json.loads(data.decode(encoding))
    except RecursionError:
        raise click.ClickException(f"{file!r} is nested too deeply") from None
    except ValueError as error:
        raise click.ClickException(f"{file!r} is no JSON: {error}") from error
    return value


def typed(file: str, kind_name: str | None) -> tuple[Kind, list[Document], bool]:
    """
    Read the documents of a file.

    Returns:
        Their kind, the documents, and whether the file is a list.

    Raises:
        click.ClickException: It is none, or not of the kind that was given.
    """
    from hcsshim.documents import DocumentError, from_dict  # noqa: PLC0415 - lazily
    from hcsshim.documents.recognition import (  # noqa: PLC0415 - as above
        kind_named,
        recognise,
    )

    raw = read_file(file)
    try:
        kind = kind_named(kind_name) if kind_name else recognise(raw)
        if isinstance(raw, list):
            return kind, [from_dict(kind.cls, item) for item in raw], True
        return kind, [from_dict(kind.cls, raw)], False
    except DocumentError as error:
        raise click.ClickException(f"{file!r}: {error}") from error


@doc.command()
@kind_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print it anew, from its typed form."
)
@file_argument
def show(file: str, kind_name: str | None, *, as_json: bool) -> None:
    """Say what a document is, and what is in it; secrets are masked."""
    from hcsshim.documents import to_dict  # noqa: PLC0415 - lazily

    kind, found, is_list = typed(file, kind_name)
    if as_json:
        values = [to_dict(document) for document in found]
        print_json(values if is_list else values[0])
        return
    click.echo(f"kind    {kind.name}{f' ({len(found)} of them)' if is_list else ''}")
    for document in found:
        describe(document)


def describe(document: Document) -> None:
    """Print the facts about one document, then its members."""
    from hcsshim.documents import (  # noqa: PLC0415 - lazily
        needed_version,
        unknown_members,
    )

    module = type(document).__module__
    if not module.startswith(("hcsshim.documents.v1", "hcsshim.documents.h")):
        major, minor = needed_version(document)
        click.echo(f"schema  {major}.{minor} or later")
    unknown = list(unknown_members(document))
    if unknown:
        click.echo(f"unknown {', '.join(unknown)}")
    for path, text in leaves(document):
        click.echo(f"  {path} = {text}")


def leaves(document: Document, path: str = "") -> list[tuple[str, str]]:
    """List the members that are set, by their path; secrets are masked."""
    import attrs  # noqa: PLC0415 - lazily

    from hcsshim.documents import Document  # noqa: PLC0415 - as above

    found: list[tuple[str, str]] = []
    for field in attrs.fields(type(document)):
        value = getattr(document, field.name)
        name = field.metadata.get("wire")
        if name is None or value is None or value in ((), {}):
            continue
        step = f"{path}.{name}" if path else name
        if field.metadata.get("secret"):
            found.append((step, "***"))
        elif isinstance(value, Document):
            found += leaves(value, step) or [(step, "{}")]
        elif isinstance(value, tuple) and isinstance(value[0], Document):
            for index, item in enumerate(value):
                found += leaves(item, f"{step}[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                part = f"{step}.{key}"
                if isinstance(item, Document):
                    found += leaves(item, part) or [(part, "{}")]
                else:
                    found.append((part, plain(item)))
        else:
            found.append((step, plain(value)))
    return found


def plain(value: object) -> str:
    """Write a value as JSON does, or as text where it has another type."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)


@doc.command()
@kind_option
@click.option(
    "--build",
    metavar="BUILD",
    help="Name also what is newer than this build of Windows: 17763, LTSC2022.",
)
@click.option("--here", is_flag=True, help="The same for the host of this machine.")
@file_argument
def validate(file: str, kind_name: str | None, build: str | None, *, here: bool) -> int:
    """
    Explain what the service would refuse in a document, and why.

    Exits with 1 if there is something.
    """
    from hcsshim.documents import problems  # noqa: PLC0415 - lazily

    kind, found, is_list = typed(file, kind_name)
    version = schema_of(build, here=here)
    count = 0
    for index, document in enumerate(found):
        place = f"[{index}]." if is_list else ""
        for problem in problems(document, version):
            click.echo(f"{place}{problem}")
            count += 1
    if count:
        noun = "problem" if count == 1 else "problems"
        click.echo(f"{file}: {count} {noun} as {kind.name}", err=True)
        return 1
    click.echo(f"{file}: fine as {kind.name}")
    return 0


def schema_of(build: str | None, *, here: bool) -> tuple[int, int] | None:
    """
    Give the newest schema version of a build, or of this machine's host.

    Raises:
        click.BadParameter: There is no such build.
    """
    from hcsshim.builds import OSVersion, schema_versions_of  # noqa: PLC0415

    if here:
        from hcsshim import capabilities  # noqa: PLC0415 - lazily

        return capabilities().schema_version
    if build is None:
        return None
    try:
        version = OSVersion.named(build)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--build") from error
    return max(schema_versions_of(version.build))


@doc.command()
@kind_option
@click.option("-o", "--output", metavar="FILE", help="Instead of stdout.")
@file_argument
def upgrade(file: str, kind_name: str | None, output: str | None) -> None:
    """Turn a document of schema 1 into one of schema 2; tells what has no place."""
    from hcsshim.documents import DocumentError, to_dict  # noqa: PLC0415 - lazily
    from hcsshim.documents import upgrade as convert  # noqa: PLC0415 - as above

    _, found, is_list = typed(file, kind_name)
    try:
        upgraded = [convert(document) for document in found]
    except DocumentError as error:
        raise click.ClickException(f"{file!r}: {error}") from error
    values = [to_dict(item.document) for item in upgraded]
    value = values if is_list else values[0]
    if output is None:
        print_json(value)
    else:
        temporary = Path(f"{output}.new")
        temporary.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
        temporary.replace(output)
    for item in upgraded:
        for path in item.left_out:
            click.echo(f"left out, schema 2 has no place for it: {path}", err=True)


@doc.command("kinds")
def list_kinds() -> None:
    """List the kinds of documents that there are."""
    from hcsshim.documents import kinds  # noqa: PLC0415 - lazily

    for name in kinds():
        click.echo(name)
