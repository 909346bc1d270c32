#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Small-file work on kvfs, on the file system below it, and on a FUSE
# daemon that keeps everything in memory (the ceiling), in turn, several
# rounds; prints medians and ratios.
#
#   tests/bench/bench_mount.sh [-n FILES] [-o OPTIONS] [-r ROUNDS]
#
# OPTIONS are kvfs's mount options. TMPDIR says where the stores are.
set -eu
files=5000
rounds=3
options=profile=balanced
while getopts n:o:r: o; do
  case $o in
    n) files=$OPTARG ;;
    o) options=$OPTARG ;;
    r) rounds=$OPTARG ;;
    *) sed -n '8s/^# *//p' "$0" >&2; exit 2 ;;
  esac
done
if ! { : <>/dev/fuse; } 2>/dev/null; then
  echo 'bench_mount: /dev/fuse cannot be opened, skipped'
  exit 0
fi

bench=$KVFS_BUILD/tests/bench/bench_mount
ceiling=$KVFS_BUILD/tests/bench/ceiling_fs
work=$(mktemp -d "${TMPDIR:-/tmp}/kvfs-bench.XXXXXX")
mnt=$work/mnt
plain_name=$(stat -f -c %T "$work" | sed 's,^ext2/ext3$,ext4,')
mkdir "$mnt"
finish() {
  if mountpoint -q "$mnt"; then
    "$KVFSCTL" umount "$mnt" 2>/dev/null || fusermount3 -u -z "$mnt" || :
  fi
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The phases on one directory: "WHERE STEP RATE" lines.
phases() {
  local where=$1 dir=$2
  {
    "$bench" -n "$files" "$dir"
    "$bench" -n $((files / 10)) -f -p cu "$dir" |
      sed -n 's/^create/create+fsync/p'
    "$bench" -n $((files / 5)) -t 16 -f -p cu "$dir" |
      sed -n 's/^create/create+fsync_16_threads/p'
  } | sed "s/^/$where /" >>"$work/results"
}

on_plain() {
  mkdir "$work/plain"
  phases "$plain_name" "$work/plain"
  rm -rf "$work/plain"
}

on_kvfs() {
  "$KVFS" "$work/store" "$mnt" -o "$options"
  phases kvfs "$mnt"
  "$KVFSCTL" umount "$mnt"
  rm -rf "$work/store"
}

# Files made in each sync mode.
in_modes() {
  local mode
  for mode in full every:100 hybrid:100:50 interval:1000 checkpoint off; do
    "$KVFS" "$work/store" "$mnt" -o "$options,sync=$mode"
    "$bench" -n $((files / 5)) -p cu "$mnt" |
      sed -n "s/^create/sync=$mode/p" | sed 's/^/modes /' >>"$work/results"
    "$KVFSCTL" umount "$mnt"
    rm -rf "$work/store"
  done
}

on_ceiling() {
  local pid
  "$ceiling" "$mnt" &
  pid=$!
  # Ready when the directory is another file system.
  until mountpoint -q "$mnt"; do
    kill -0 $pid
    sleep 0.01
  done
  phases ceiling "$mnt"
  fusermount3 -u "$mnt" 2>/dev/null || umount "$mnt"
  wait $pid
}

for ((r = 0; r < rounds; r++)); do
  on_kvfs
  in_modes
  sync
  on_plain
  sync
  on_ceiling
  sync
done

echo
echo "Files of 1 KiB, $files of them, 1 thread unless it says otherwise; kvfs"
echo "with $options; medians of $rounds rounds, operations per second."
echo
awk -v plain="$plain_name" '
  function median(where, step,   n, i, j, t, a) {
    n = count[where, step]
    for (i = 1; i <= n; i++) a[i] = rate[where, step, i]
    for (i = 2; i <= n; i++)
      for (j = i; j > 1 && a[j] < a[j - 1]; j--) {
        t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
      }
    low = a[1]; high = a[n]
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
  }
  $1 == "modes" {
    if (!(($2) in modes)) { modes[$2] = 1; mode[++nmodes] = $2 }
    rate[$1, $2, ++count[$1, $2]] = $3
    next
  }
  {
    if (!(($2) in seen)) { seen[$2] = 1; steps[++nsteps] = $2 }
    rate[$1, $2, ++count[$1, $2]] = $3
  }
  END {
    printf "%-26s %9s %9s %9s %10s %11s   %s\n", "", "kvfs", plain,
      "ceiling", "kvfs/" plain, "kvfs/ceil.", "kvfs rounds"
    for (s = 1; s <= nsteps; s++) {
      p = median(plain, steps[s]); c = median("ceiling", steps[s])
      k = median("kvfs", steps[s])
      printf "%-26s %9d %9d %9d %10.2f %11.2f   %d..%d\n", steps[s], k, p,
        c, k / p, k / c, low, high
    }
    printf "\ncreate, write, close on kvfs alone:\n"
    for (s = 1; s <= nmodes; s++) {
      k = median("modes", mode[s])
      printf "%-26s %9d   %d..%d\n", mode[s], k, low, high
    }
  }' "$work/results"
