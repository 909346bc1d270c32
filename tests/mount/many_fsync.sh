#!/bin/bash
# SPDX-License-Identifier: ISC
# 16 processes that create, write, fsync and close at once: they share disk
# syncs (group commit), and everything is there after a kill -9.
. "$(dirname "$0")/lib.sh"
tool=${KVFS_BUILD:-$top/build}/tests/mount/fsync_files
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"
processes=16
files=40
pid=

end_writers()
{
	local status=$?
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	(exit $status)
	cleanup
}
trap end_writers EXIT

for mode in interval:1000 full; do
	start_kvfs -o sync=$mode
	mkdir "$MNT/$mode"
	before=$(stat_value "$MNT" "Disk syncs")
	"$tool" write "$MNT/$mode" "$T/acks.$mode" $processes $files ||
	    fail "$mode: writing"
	syncs=$(($(stat_value "$MNT" "Disk syncs") - before))
	fsyncs=$((processes * files))
	# With sync=full each create waits for its own.
	[ $mode != full ] || fsyncs=$((2 * fsyncs))
	took=$(stat_value "$MNT" "Sync microseconds p50")
	echo "$mode: $fsyncs waits for durability, $syncs disk syncs of $took us"
	# Where a sync costs nothing, nobody finds company while waiting.
	[ "$took" -lt 200 ] || [ $((syncs * 2)) -lt $fsyncs ] ||
	    fail "$mode: $syncs disk syncs for $fsyncs"
	same "$mode: not durable" 0 "$(stat_value "$MNT" "Changes not durable")"

	# Then until the daemon is killed.
	mkdir "$MNT/$mode.killed"
	"$tool" write "$MNT/$mode.killed" "$T/acks.$mode.killed" $processes &
	pid=$!
	# Any moment will do; the sleep is the subject, not a wait.
	sleep 1
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	wait $pid
	pid=
	"$KVFSCTL_BIN" umount "$MNT" || fail "$mode: umount"

	start_kvfs
	same "$mode: files" $((processes * files)) \
	    "$("$tool" verify "$MNT/$mode" "$T/acks.$mode")"
	n=$("$tool" verify "$MNT/$mode.killed" "$T/acks.$mode.killed") ||
	    fail "$mode: after the kill"
	echo "$mode: $n files after the kill"
	[ "$n" -gt 0 ] || fail "$mode: nothing was written"
	same "$mode: check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
	stop_kvfs
done

# A daemon in a PID namespace of its own is not told who asks; they share all
# the same.
if unshare --pid --fork true 2>/dev/null; then
	unshare --pid --fork "$KVFS_BIN" -f "$T/apart" "$MNT" &
	daemon=$!
	timeout 60 sh -c "until mountpoint -q '$MNT'; do sleep 0.02; done" ||
	    fail "apart: no mount"
	mkdir "$MNT/d"
	"$tool" write "$MNT/d" "$T/acks.apart" $processes $files
	status=$?
	fsyncs=$((processes * files))
	syncs=$(stat_value "$MNT" "Disk syncs")
	took=$(stat_value "$MNT" "Sync microseconds p50")
	unmount "$MNT"
	wait $daemon || fail "apart: the daemon"
	[ $status = 0 ] || fail "apart: writing"
	echo "apart: $fsyncs waits for durability, $syncs disk syncs of $took us"
	[ "$took" -lt 200 ] || [ $((syncs * 2)) -lt $fsyncs ] ||
	    fail "apart: $syncs disk syncs for $fsyncs"
fi
