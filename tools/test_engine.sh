#!/usr/bin/env bash
# The engine on Python 3.12 with the oldest numpy that we support, and no other library of ours in reach.
#
#   tools/test_engine.sh VENV TEST...
#
# Without a Python 3.12 on the machine this says so and passes: the same tests run on the main interpreter, and
# tests/architecture/test_engine_purity.py proves there that the engine imports nothing but numpy.
set -euo pipefail

venv=$1
shift

find_python() {
    local candidate
    for candidate in python3.12 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.12.*/bin/python3.12; do
        if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

if [ "$#" -eq 0 ]; then
    echo "engine: no test was named"
    exit 2
fi
if [ ! -e "$venv/.stamp" ] || [ pyproject.toml -nt "$venv/.stamp" ]; then
    python=$(find_python)
    if [ -z "$python" ]; then
        echo "engine: no Python 3.12 here; checked on the main interpreter only"
        exit 0
    fi
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -qq 'numpy==2.0.2' pytest pytest-xdist hypothesis
    "$venv/bin/python" -m pip install -qq --no-deps -e .
    touch "$venv/.stamp"
fi
"$venv/bin/python" -c 'import sys, numpy; print(f"engine: Python {sys.version.split()[0]}, numpy {numpy.__version__}")'
# Workers fill the processors; threads of numpy in each would only wait for one another.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
"$venv/bin/python" -m pytest -q -p no:cacheprovider -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder "$@"
