#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Run fuzz targets, SECONDS each, two at a time on what is there.
#
#   tests/fuzz/run.sh SECONDS TARGET...
#
# An input that brings a target down stays in build/fuzz/found/ and the
# output says how to run it again.
set -u
seconds=$1
shift
found=$PWD/build/fuzz/found
corpus=$PWD/build/fuzz/corpus
mkdir -p "$found"

one() {
  local name=${1##*/}
  mkdir -p "$corpus/$name"
  set -- "$1" "$corpus/$name" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="$found/$name-" -print_final_stats=1
  # The seeds that a target ships, when it does.
  [ -d "tests/fuzz/seeds/$name" ] && set -- "$@" "tests/fuzz/seeds/$name"
  if "$@" >"$found/$name.log" 2>&1; then
    rm "$found/$name.log"
    echo "ok      $name"
  else
    echo "FAILED  $name, inputs and log in $found:"
    tail -n 60 "$found/$name.log" | sed 's/^/    /'
    return 1
  fi
}

[ $# -gt 0 ] || { echo 'no fuzz target'; exit 1; }
failed=0
jobs=$(nproc)
running=0
for t; do
  if [ "$running" -ge "$jobs" ]; then
    wait -n || failed=$((failed + 1))
    running=$((running - 1))
  fi
  one "$t" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=$((failed + 1))
  running=$((running - 1))
done
echo "$(($# - failed)) passed, $failed failed"
[ "$failed" = 0 ]
