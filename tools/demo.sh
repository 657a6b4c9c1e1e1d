#!/usr/bin/env bash
# The main job, twice, without a key or a server: a built-in crafting world, then a game that
# nobody here wrote. Without Java the second one is a larger crafting world instead.
set -uo pipefail
recode=$1

echo "== A crafting world: expand, check, run in the sandbox, one statement at a time"
"$recode" run --env crafting --seed 1 --depth 3 --model expert || exit $?

echo
echo "== TextWorldExpress: cookingworld, seed 3"
"$recode" run --env textworld-express --game cookingworld --seed 3 --model expert
code=$?
if [ "$code" -eq 3 ]; then
    echo
    echo "== In its place: a deeper crafting world"
    exec "$recode" run --env crafting --seed 2 --depth 6 --model expert
fi
exit "$code"
