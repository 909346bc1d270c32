#!/bin/sh
# SPDX-License-Identifier: ISC
# Files without a name live until nobody has them any more, open or by a path
# that he keeps (O_PATH, a working directory), and not longer.
. "$(dirname "$0")/lib.sh"

start_kvfs

# Read and written after the name has gone.
head -c 300000 /dev/urandom >"$T/ref"
cp "$T/ref" "$MNT/f"
exec 3<>"$MNT/f"
rm "$MNT/f"
[ ! -e "$MNT/f" ] || fail "the name is still there"
cmp "$T/ref" /dev/fd/3 2>/dev/null || cmp "$T/ref" /proc/self/fd/3 ||
    fail "an unlinked file reads differently"
same "link count" 0 "$(stat -L -c %h /proc/self/fd/3)"
exec 3>&-

echo first >"$MNT/g"
exec 3>>"$MNT/g" 4<"$MNT/g"
rm "$MNT/g"
echo second >&3
same "written after unlink" "first
second" "$(cat <&4)"
# The name is free for another file.
echo other >"$MNT/g"
echo third >&3
same "a new file of that name" other "$(cat "$MNT/g")"
exec 3>&- 4<&-

# Renamed over while open.
echo old >"$MNT/old"
echo new >"$MNT/new"
exec 3<"$MNT/old"
mv "$MNT/new" "$MNT/old"
same "replaced" new "$(cat "$MNT/old")"
same "the replaced one, still open" old "$(cat <&3)"
exec 3<&-

# The working directory removed.
mkdir "$MNT/dir"
cd "$MNT/dir" || exit 1
rmdir "$MNT/dir"
refuses "No such file" touch new
cd / || exit 1

# Held by a path alone, and names that are replaced while they are opened.
tool=${KVFS_BUILD:-$top/build}/tests/mount/held_names
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"
mkdir "$MNT/held"
timeout 60 "$tool" "$MNT/held" 2 || fail "held names"
same "check" "Problems: 0" "$(tail -n 1 "$MNT/.kvfs/check")"
rm -r "$MNT/held"

# Space and rows come back when the last one lets go.
for i in 1 2 3 4 5; do
	cp "$T/ref" "$MNT/big$i"
done
exec 3<"$MNT/big1" 4<"$MNT/big2"
rm "$MNT"/big*
exec 3<&- 4<&-
gone() { [ "$(stat_value "$MNT" Inodes)" = "$1" ]; }
before=$(find "$MNT" | wc -l)
for i in $(seq 100); do
	gone "$before" && break
	sleep 0.05
done
gone "$before" || fail "$(stat_value "$MNT" Inodes) inodes, of $before names"

# Deleted for good by a daemon that was killed meanwhile.
cp "$T/ref" "$MNT/victim"
exec 3<"$MNT/victim"
rm "$MNT/victim"
kill -9 "$PID"
wait_gone "$PID"
exec 3<&-
"$KVFS_BIN" "$STORE" "$MNT" 2>/dev/null || fail "start after a kill"
PID=$(stat_value "$MNT" Pid)
[ ! -e "$MNT/victim" ] || fail "an unlinked file came back"
same "check" "Problems: 0" "$(tail -n 1 "$MNT/.kvfs/check")"
stop_kvfs
