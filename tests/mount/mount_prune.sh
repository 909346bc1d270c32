#!/bin/sh
# SPDX-License-Identifier: ISC
# More names go by than the daemon may keep: it has the kernel drop those that
# nobody uses, directories too, and no other: a working directory and what is
# held by a path keep their paths, and what is mounted below stays mounted.
. "$(dirname "$0")/lib.sh"

count=9000
bound=5000 # of memory=16M

start_kvfs -o memory=16M
mkdir -p "$MNT/home/user" "$MNT/disk" "$MNT/many" "$T/source"
echo file >"$MNT/over"
echo below >"$T/source/data"
mount -t tmpfs -o size=1M tmpfs "$MNT/disk" || fail "cannot mount a tmpfs"
echo disk >"$MNT/disk/data"
mount --bind "$T/source/data" "$MNT/over" || fail "cannot bind a file"
cd "$MNT/home/user" || exit 1
exec 3<"$MNT/home"

# Directories and files, one after the other, so that none is used long.
(cd "$MNT/many" && seq -f 'd%.0f' $count | xargs -n 1000 mkdir &&
	seq -f 'd%.0f/f' 1 3 $count | xargs -n 1000 touch) || fail "making names"
few() { [ "$(stat_value "$MNT" "Inodes in memory")" -lt $bound ]; }
for i in $(seq 100); do
	few && break
	sleep 0.1
done
few || fail "$(stat_value "$MNT" "Inodes in memory") inodes in memory"

same "a working directory" "$MNT/home/user" "$(readlink /proc/self/cwd)"
same "an open directory" "$MNT/home" "$(readlink /proc/self/fd/3)"
touch made || fail "a file in the working directory"
[ -e "$MNT/home/user/made" ] || fail "it is not where it was made"
same "a mount on a directory" disk "$(cat "$MNT/disk/data")"
same "a mount on a file" below "$(cat "$MNT/over")"
same "names" $count "$(find "$MNT/many" -mindepth 1 -maxdepth 1 | wc -l)"
cd / || exit 1
exec 3<&-
umount "$MNT/disk" "$MNT/over" || fail umount
stop_kvfs
