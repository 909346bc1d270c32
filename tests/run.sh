#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Run tests, each a program or a script, and count.
#
#   tests/run.sh [-s] [-j JOBS] [-t SECONDS] TEST...
#
# Exit status 0 of a test is passed, 77 skipped, anything else failed, as is
# running for more than SECONDS (default 600). Its output is kept and shown
# only when it failed. Each test has a fresh TMPDIR, which is gone
# afterwards; a mount that it leaves there is a failure too, and is ended.
# Each line has the seconds that the test took, and its processor seconds
# (without those of daemons). The slowest are listed at the end. The last line
# is "N passed, N failed, N skipped"; exit status 1 when any failed or none
# ran, with -s also when any was skipped.
set -u

jobs=1
limit=600
slowest=12
complete=
while getopts sj:t: o; do
  case $o in
    s) complete=1 ;;
    j) jobs=$OPTARG ;;
    t) limit=$OPTARG ;;
    *) sed -n '5,6s/^# *//p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))

work=$(mktemp -d "${TMPDIR:-/tmp}/kvfs-test.XXXXXX") || exit 1
work=$(cd "$work" && pwd -P)
# Tests that become another user must reach what they made.
chmod 711 "$work"
# Tests that run make themselves are not part of the make above them.
unset MAKEFLAGS MAKELEVEL MFLAGS
TIMEFORMAT='%R %U %S'

# Mounts at or below a directory, deepest first.
mounts_below() {
  awk -v d="$1" '$2 == d || index($2, d "/") == 1 { print $2 }' \
    /proc/self/mounts | sort -r
}

end_mounts() {
  local m
  mounts_below "$1" | while read -r m; do
    umount -l "$m" 2>/dev/null || fusermount3 -u -z "$m" 2>/dev/null
  done
}

finish() {
  trap - EXIT INT TERM
  local pids
  pids=$(jobs -p)
  # shellcheck disable=SC2086
  [ -z "$pids" ] || kill $pids 2>/dev/null
  wait
  end_mounts "$work"
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# One test: output to $work/N.out, seconds (elapsed, user, system) to
# $work/N.time, verdict to $work/N.rc.
run_one() {
  local n=$1 test=$2 dir=$work/$1 rc left
  mkdir "$dir"
  case $test in
    /*) ;;
    *) test=./$test ;;
  esac
  { time TMPDIR=$dir timeout -k 15 "$limit" "$test" \
    >"$work/$n.out" 2>&1 </dev/null; } 2>"$work/$n.time"
  rc=$?
  if [ $rc = 124 ] || [ $rc = 137 ]; then
    echo "stopped after $limit seconds" >>"$work/$n.out"
  fi
  left=$(mounts_below "$dir")
  if [ -n "$left" ]; then
    echo "left mounted: $left" >>"$work/$n.out"
    end_mounts "$dir"
    [ $rc != 0 ] || rc=1
  fi
  rm -rf --one-file-system "$dir"
  echo $rc >"$work/$n.rc"
}

passed=0
failed=0
skipped=0

# Say how each test went that has ended since the last call.
report() {
  local n rc real user sys took
  for n in "${!running[@]}"; do
    [ -s "$work/$n.rc" ] || continue
    rc=$(cat "$work/$n.rc")
    read -r real user sys < <(tail -n 1 "$work/$n.time")
    took=$(awk "BEGIN { printf \"%.1f s, %.1f of processor\", \
      $real, $user + $sys }")
    echo "$real ${running[$n]}: $took" >>"$work/times"
    case $rc in
      0)
        passed=$((passed + 1))
        echo "ok      ${running[$n]} ($took)"
        ;;
      77)
        skipped=$((skipped + 1))
        echo "skipped ${running[$n]}: $(tail -n 1 "$work/$n.out")"
        ;;
      *)
        failed=$((failed + 1))
        echo "FAILED  ${running[$n]} (status $rc, $took); its output:"
        tail -n 200 "$work/$n.out" | sed 's/^/    /'
        ;;
    esac
    rm -f "$work/$n.out" "$work/$n.rc" "$work/$n.time"
    unset "running[$n]"
  done
}

declare -A running=()
n=0
for test in "$@"; do
  n=$((n + 1))
  while [ ${#running[@]} -ge "$jobs" ]; do
    wait -n 2>/dev/null
    report
  done
  running[$n]=$test
  run_one $n "$test" &
done
while [ ${#running[@]} -gt 0 ]; do
  wait -n 2>/dev/null
  report
done

# A few need no list.
if [ $# -gt $slowest ]; then
  echo "the slowest of $#, $SECONDS s in all:"
  sort -rn "$work/times" | head -n $slowest | sed 's/^[^ ]*/   /'
fi
echo "$passed passed, $failed failed, $skipped skipped"
if [ -n "$complete" ] && [ "$skipped" != 0 ]; then
  echo 'a test was skipped, and must not be here'
  exit 1
fi
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
