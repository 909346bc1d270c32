#!/bin/bash
# SPDX-License-Identifier: ISC
# On btrfs the free space that statfs(2) and df(1) tell does not move with what
# is written or removed: seen with Linux 6.18 and btrfs-progs 6.2-1+deb12u2. A
# file of 100 MiB that write(2) has taken costs nothing yet, since its blocks
# are chosen when its pages are written back; removed, it gives nothing back
# before the next transaction is committed, up to 30 seconds later. syncfs(2)
# brings both figures up to date.
#
# What follows for who fills a disk up to a margin: subtract what was written
# since the last sync, and sync before concluding that a removal freed nothing.
#
# Needs root, a loop device, btrfs in the kernel and Debian 12's package. Exit
# status 0: as described, 1: changed, 77: cannot run here.
set -u
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
t=$(mktemp -d) || exit 1
trap 'umount "$t/mnt" 2>/dev/null; rm -rf "$t"' EXIT
chmod 755 "$t"
cd "$t" || exit 1
apt-get -qq download btrfs-progs=6.2-1+deb12u2 2>"$t/err" || { cat "$t/err"; exit 77; }
dpkg -x ./btrfs-progs*.deb root
truncate -s 1G image
mkdir mnt
find root -name mkfs.btrfs -exec {} -q image \; >"$t/err" 2>&1
mount -o loop image mnt 2>"$t/err" || { cat "$t/err"; exit 77; }
echo "Linux $(uname -r)"

# Free MiB, with what has just been done.
look() {
  free=$(($(stat -f -c '%a * %S' mnt) / 1048576))
  echo "$1: $free MiB free"
}

sync -f mnt
look "empty"
empty=$free
head -c 100M /dev/urandom >mnt/file
look "100 MiB written"
written=$free
sync -f mnt
look "and synced"
synced=$free
rm mnt/file
look "removed"
removed=$free
sync -f mnt
look "and synced"
[ $((empty - written)) -lt 10 ] && [ $((empty - synced)) -ge 90 ] &&
  [ $((removed - synced)) -lt 10 ] && [ $((empty - free)) -lt 10 ] && exit 0
echo "changed"
exit 1
