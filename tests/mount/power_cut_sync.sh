#!/bin/bash
# SPDX-License-Identifier: ISC
# fdatasync(2) may return 0 though a file system that shuts down at that
# moment has lost the block; env_sync() must not. Seen in nearly each run
# with that many writers. KVFS_CUT_ROUNDS (10) per file system.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
rounds=${KVFS_CUT_ROUNDS:-10}
tool blocks env_sync_cut
tool shutdown ioctl_shutdown
writers=6

has_begun()
{
	local w

	for ((w = 0; w < writers; w++)); do
		grep -q writing "$T/err.$w" && continue
		kill -0 "${pids[w]}" 2>/dev/null ||
		    fail "$fs, round $round: $(cat "$T/err.$w")"
		return 1
	done
}

for fs in ext4 xfs; do
	make_disk $fs 512M
	total=0
	for ((round = 1; round <= rounds; round++)); do
		rm -f "$DISK"/blocks.*
		pids=()
		for ((w = 0; w < writers; w++)); do
			: >"$T/err.$w"
			"$blocks" write "$DISK/blocks.$w" \
			    >"$T/count.$w" 2>"$T/err.$w" &
			pids[w]=$!
		done
		await "$fs: writing" has_begun
		# Any moment will do; the sleep is the subject, not a wait.
		sleep "0.0$((RANDOM % 90 + 10))"
		"$shutdown" "$DISK" 2>"$T/shutdown.err" ||
		    skip "$fs cannot be shut down: $(cat "$T/shutdown.err")"
		for ((w = 0; w < writers; w++)); do
			wait "${pids[w]}" ||
			    fail "$fs, round $round: $(cat "$T/err.$w")"
		done
		unmount_disk
		mount_disk
		for ((w = 0; w < writers; w++)); do
			n=$(cat "$T/count.$w")
			"$blocks" verify "$DISK/blocks.$w" "$n" || fail \
			    "$fs, round $round: env_sync() called it durable"
			total=$((total + n))
		done
	done
	echo "$fs: $total blocks durable in $rounds rounds"
	[ $total -gt 0 ] || fail "$fs: nothing was written"
	unmount_disk
done
