#!/bin/sh
# Fail if the function became slower than it is in another commit (by default: main).
#   examples/ci_gate/gate.sh TARGET [COMMIT] [SECONDS]
# Exit code 0: it is not slower by more than 2%; 1: it is; 2: a mistake; 3: the machine is too noisy to tell.
exec breakeven time "${1:?give a target, as src/package/module.py:function}" \
  --at "${2:-main}" --max-seconds "${3:-60}" --fail-if-slower 2% --json gate.json
