#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever has read a directory by half holds nothing back: what is removed
# meanwhile gives its space back. He goes on where he was, and sees each name
# that stays once.
. "$(dirname "$0")/lib.sh"

names=3000
start_kvfs -o memtable=1M
mkdir "$MNT/d"
(cd "$MNT/d" && seq -f 'entry-with-a-longer-name-%05.0f' $names |
	xargs -n 1000 touch) || fail "making names"
head -c 48M /dev/urandom >"$MNT/data"
sync "$MNT"
# More names than one buffer takes, so that most are still to be read.
mkfifo "$T/go"
python3 - "$MNT/d" "$T/go" >"$T/seen" <<'PY' &
import os, sys
it = os.scandir(sys.argv[1])
print(next(it).name)
open(sys.argv[2]).read()
for e in it:
    print(e.name)
PY
reader=$!
# Opened once the reader has begun, who then waits until it is closed.
exec 4>"$T/go"
rm "$MNT/data" "$MNT/d/entry-with-a-longer-name-02999"
small() { [ "$(du -sk "$STORE" | cut -f1)" -lt 16384 ]; }
for i in $(seq 50); do
	echo 1 >"$MNT/.kvfs/compact"
	small && break
	sleep 0.1
done
small || fail "$(du -sk "$STORE") KiB while a directory is being read"
exec 4>&-
wait $reader || fail "the reader"
same "names seen" "$(seq -f 'entry-with-a-longer-name-%05.0f' $names |
	grep -v -- -02999)" "$(sort "$T/seen" | grep -v -- -02999)"
stop_kvfs
