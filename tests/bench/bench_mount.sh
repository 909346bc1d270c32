#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Small-file work on kvfs, on ext4, on bindfs over ext4 (a FUSE daemon that
# hands everything on), and on a FUSE daemon that keeps everything in memory
# (the ceiling), in turn, several rounds; prints medians, spread and ratios.
# What is on a disk is on a fresh ext4 with a journal each time, on a loop
# device: a file system that has seen many deletions makes files more slowly.
#
#   tests/bench/bench_mount.sh [-n FILES] [-o OPTIONS] [-r ROUNDS] [-S SIZE]
#
# OPTIONS are kvfs's mount options, SIZE that of the disk (4G). TMPDIR says
# where its image is. Needs root.
set -eu
files=5000
rounds=3
size=4G
options=profile=balanced
while getopts n:o:r:S: o; do
  case $o in
    n) files=$OPTARG ;;
    o) options=$OPTARG ;;
    r) rounds=$OPTARG ;;
    S) size=$OPTARG ;;
    *) sed -n 's/^#   tests/tests/p' "$0" >&2; exit 2 ;;
  esac
done
cannot() {
  echo "bench_mount: $*" >&2
  exit 1
}
{ : <>/dev/fuse; } 2>/dev/null || cannot '/dev/fuse cannot be opened'
[ "$(id -u)" = 0 ] || cannot 'needs root, for a disk of its own'
for tool in bindfs mkfs.ext4; do
  command -v $tool >/dev/null || cannot "$tool is not installed"
done

bench=$KVFS_BUILD/tests/bench/bench_mount
ceiling=$KVFS_BUILD/tests/bench/ceiling_fs
work=$(mktemp -d "${TMPDIR:-/tmp}/kvfs-bench.XXXXXX")
mnt=$work/mnt
disk=$work/disk
mkdir "$mnt" "$disk"
finish() {
  if mountpoint -q "$mnt"; then
    "$KVFSCTL" umount "$mnt" 2>/dev/null || umount -l "$mnt" || :
  fi
  ! mountpoint -q "$disk" || umount "$disk" || umount -l "$disk"
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

disk_begin() {
  truncate -s "$size" "$work/image"
  mkfs.ext4 -q -F "$work/image"
  mount -o loop "$work/image" "$disk"
}
disk_end() {
  umount "$disk"
  rm -f "$work/image"
}

# The phases on one directory: "WHERE STEP RATE TAIL LONGEST" lines.
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

on_ext4() {
  disk_begin
  mkdir "$disk/plain"
  phases ext4 "$disk/plain"
  disk_end
}

on_bindfs() {
  disk_begin
  mkdir "$disk/under"
  # As long as kvfs lets the kernel keep what it knows.
  bindfs -o kernel_cache,attr_timeout=60,entry_timeout=60 "$disk/under" "$mnt"
  phases bindfs "$mnt"
  umount "$mnt"
  disk_end
}

on_kvfs() {
  disk_begin
  "$KVFS" "$disk/store" "$mnt" -o "$options"
  phases kvfs "$mnt"
  "$KVFSCTL" umount "$mnt"
  disk_end
}

# Files made in each sync mode.
in_modes() {
  local mode
  for mode in full every:100 hybrid:100:50 interval:1000 checkpoint off; do
    disk_begin
    "$KVFS" "$disk/store" "$mnt" -o "$options,sync=$mode"
    "$bench" -n $((files / 5)) -p cu "$mnt" |
      sed -n "s/^create/sync=$mode/p" | sed 's/^/modes /' >>"$work/results"
    "$KVFSCTL" umount "$mnt"
    disk_end
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

# Each round begins with another, so that none always comes after the same.
turns=(kvfs ext4 bindfs ceiling)
for ((r = 0; r < rounds; r++)); do
  for ((i = 0; i < ${#turns[@]}; i++)); do
    "on_${turns[(r + i) % ${#turns[@]}]}"
    sync
  done
  in_modes
  sync
done

echo
echo "Files of 1 KiB, $files of them, 1 thread unless it says otherwise; kvfs"
echo "with $options, ext4 $(mkfs.ext4 -V 2>&1 | sed -n 's/^mke2fs //p'), on a"
echo "loop device on $(stat -f -c %T "$work"); medians of $rounds rounds,"
echo 'operations per second, with half of how far the rounds lay apart in'
echo 'percent; ratios above 1: kvfs is faster.'
echo
awk '
  # The median of a figure; half_spread is in percent of it.
  function median(figure, where, step,   n, i, j, t, a, m) {
    n = count[where, step]
    for (i = 1; i <= n; i++) a[i] = value[figure, where, step, i]
    for (i = 2; i <= n; i++)
      for (j = i; j > 1 && a[j] < a[j - 1]; j--) {
        t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
      }
    m = n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
    half_spread = m > 0 ? 50 * (a[n] - a[1]) / m : 0
    return m
  }
  $1 == "modes" {
    if (!(($2) in modes)) { modes[$2] = 1; mode[++nmodes] = $2 }
    value["rate", $1, $2, ++count[$1, $2]] = $3
    next
  }
  {
    if (!(($2) in seen)) { seen[$2] = 1; steps[++nsteps] = $2 }
    value["rate", $1, $2, ++count[$1, $2]] = $3
    value["tail", $1, $2, count[$1, $2]] = $4
    value["longest", $1, $2, count[$1, $2]] = $5
  }
  END {
    n = split("kvfs ext4 bindfs ceiling", where, " ")
    printf "%-24s", ""
    for (w = 1; w <= n; w++) printf " %15s", where[w]
    printf "  kvfs/ext4 kvfs/bindfs kvfs/ceil.\n"
    for (s = 1; s <= nsteps; s++) {
      printf "%-24s", steps[s]
      for (w = 1; w <= n; w++) {
        m[w] = median("rate", where[w], steps[s])
        printf " %8d +-%2d%%", m[w], half_spread
      }
      printf " %10.2f %11.2f %10.2f\n", m[1] / m[2], m[1] / m[3],
        m[1] / m[4]
    }
    printf "\nmicroseconds within which 999 of 1,000 were done; longest:\n"
    for (s = 1; s <= nsteps; s++) {
      if (steps[s] !~ /fsync/) continue
      printf "%-24s", steps[s]
      for (w = 1; w <= n; w++)
        printf "  %6d; %6d", median("tail", where[w], steps[s]),
          median("longest", where[w], steps[s])
      print ""
    }
    printf "\ncreate, write, close on kvfs alone:\n"
    for (s = 1; s <= nmodes; s++) {
      k = median("rate", "modes", mode[s])
      printf "%-24s %8d +-%2d%%\n", mode[s], k, half_spread
    }
  }' "$work/results"
