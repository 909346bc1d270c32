#!/bin/sh
# SPDX-License-Identifier: ISC
# With kernel_writeback, what programs have written to files that are open
# still is in the store after a sync of the mountpoint, and after kvfsctl
# sync: it is there when the daemon is killed then.
. "$(dirname "$0")/lib.sh"

# Killed, and mounted again over what is left.
kill_kvfs()
{
	kill -9 "$PID"
	umount -l "$MNT" || fusermount3 -uz "$MNT"
	wait_gone "$PID"
	start_kvfs -o kernel_writeback 9>&-
}

await_size()
{
	timeout 20 sh -c "until [ \"\$(stat -c %s '$1')\" = $2 ]; do
	    sleep 0.02; done" || fail "$1 has not $2 bytes"
}

# Any close of the file, by a child or a redirection too, would hand over
# what was gathered: the writer has nothing else open, and does not fork.
start_kvfs -o kernel_writeback
mkfifo "$T/steps"
long=$(seq 2000)
n=0
for sync in "sync $MNT" "$KVFSCTL_BIN sync $MNT"; do
	n=$((n + 1))
	file=$MNT/file$n
	(
		exec <"$T/steps" >"$file"
		printf %s "$long"
		read -r _
		printf new
		read -r _
	) &
	exec 9>"$T/steps"
	await_size "$file" ${#long}
	$sync || fail "$sync"
	echo more >&9
	await_size "$file" $((${#long} + 3))
	$sync || fail "$sync"
	kill_kvfs
	exec 9>&-
	wait
	same "contents after $sync" "$(printf %snew "$long" | cksum)" \
	    "$(cksum <"$file")"
done

# Many who sync at once, while others write.
for i in $(seq 12); do
	(seq 20000 && sync "$MNT" && seq 20000) >"$MNT/writer$i" &
done
wait
for i in $(seq 12); do
	same "lines of writer $i" 40000 "$(wc -l <"$MNT/writer$i")"
done
"$KVFSCTL_BIN" check "$MNT" >"$T/report" || fail "check: $(cat "$T/report")"
stop_kvfs
