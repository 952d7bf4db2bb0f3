#!/bin/sh
# Fail if a target became slower than it is in another commit (by default: main).
#   examples/ci_gate/gate.sh TARGET [COMMIT] [SECONDS] [OPTION...]
# TARGET is a factory: what it returns is timed. With the option --direct it is the function itself.
# Exit code 0: it is not slower by more than 2%; 1: it is; 2: a mistake; 3: the machine is too noisy to tell.
target=${1:?give a target, as src/package/module.py:factory}
commit=${2:-main}
seconds=${3:-60}
[ $# -gt 3 ] && shift 3 || shift $#
exec breakeven time "$target" --at "$commit" --max-seconds "$seconds" --fail-if-slower 2% --json gate.json "$@"
