#!/bin/sh
# Makes .venv and installs Onward into it. Does nothing when that is already done for this pyproject.toml.
#
#   sh tools/install.sh embedded         what the demo needs
#   sh tools/install.sh embedded,test    what the tests need too
#
# PYTHON=/path/to/python chooses the interpreter. POSIX sh: it has to run wherever make runs.
set -eu
cd -P "$(dirname "$0")/.."
here=$(pwd -P)

extras=$1
stamp=.venv/.onward-installed
checksum=$(cksum <pyproject.toml)
fits='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'

say() { echo "onward: $*" >&2; }

# A shim that is there but has no version behind it counts as absent, so each candidate is run.
find_python() {
    without_venv=
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        if ! "$candidate" -c "$fits" >/dev/null 2>&1; then
            [ "$candidate" != "${PYTHON:-}" ] || say "PYTHON=$candidate does not run or is not 3.11 to 3.13, looking on"
        elif "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            python=$candidate
            return
        else
            without_venv=${without_venv:-$candidate}
        fi
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$without_venv cannot make virtual environments; fix: sudo apt install python$version-venv (or another system's package of Python's venv)"
    else
        say "Python 3.11, 3.12 or 3.13 is missing; fix: sudo apt install python3 python3-venv (macOS: brew install python@3.13), or make PYTHON=/path/to/python3.13"
    fi
    exit 1
}

# The scripts of a virtual environment hold its absolute path, so one that was moved is made anew, like a broken one.
runs_here() {
    .venv/bin/python -c "$fits" >/dev/null 2>&1 && sed -n 1,2p .venv/bin/pip 2>/dev/null | grep -qF "$here/.venv/bin/python"
}

installed() {
    [ -x .venv/bin/onward ] && [ "$(sed -n 1p "$stamp" 2>/dev/null)" = "$checksum" ] || return 1
    case ",$(sed -n 2p "$stamp")," in *",$extras,"*) ;; *) return 1 ;; esac
}

if runs_here && installed; then exit 0; fi

if ! runs_here || ! .venv/bin/pip --version >/dev/null 2>&1; then
    find_python
    if [ -e .venv ]; then say "the .venv here is unfinished, broken or from another place: making it again"; fi
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi

rm -f "$stamp"
say "installing [$extras] into .venv (the first time about 120 MB to download)"
if ! .venv/bin/python -m pip install --disable-pip-version-check --no-input --editable ".[$extras]"; then
    say "the installation failed, see above; it goes on from here at the next try"
    exit 1
fi
printf '%s\n%s\n' "$checksum" "$extras" >"$stamp"
say "installed"
