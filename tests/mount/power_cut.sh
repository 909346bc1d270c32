#!/bin/bash
# SPDX-License-Identifier: ISC
# The power fails under several writers, on ext4 and on XFS, in a random
# durability mode: the file system below the store is shut down without its
# journal, after the kernel has written some of what was dirty in no order.
# The daemon must live on and say EIO. Afterwards everything mounts without
# a hand, check finds nothing, and each writer's directory is as it was
# after one of its steps, none before the last that was durable
# (history.h). KVFS_CUT_ROUNDS (2) per file system, KVFS_SEED.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
rounds=${KVFS_CUT_ROUNDS:-2}
seed=${KVFS_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "KVFS_SEED=$seed"
RANDOM=$seed
tool write history_write
tool verify history_verify
tool shutdown ioctl_shutdown
writers=4

# one_of VARIABLE CHOICE...
one_of()
{
	local i=$((2 + RANDOM % ($# - 1)))

	printf -v "$1" %s "${!i}"
}

choose_options()
{
	local ms value

	commits=
	one_of mode full every hybrid interval interval
	case $mode in
	full) ;;
	every) one_of commits 1 10 100; mode=every:$commits ;;
	hybrid) one_of commits 10 100; one_of ms 20 500
		mode=hybrid:$commits:$ms ;;
	interval) one_of ms 5 50 300 1000; mode=interval:$ms ;;
	esac
	one_of flush close close lazy
	options=sync=$mode,flush=$flush
	one_of value 0 0 64K 1M && options+=,wal_buffer=$value
	one_of value 1M 4M 64M && options+=,memtable=$value
	one_of value snappy none && options+=,compression=$value
	one_of value 20 200 1000 && options+=,writeback=$value
}

# Reads from the disk what all rounds before have left.
verify_earlier()
{
	local dir

	for dir in "$MNT"/r*; do
		[ -e "$T/sums.${dir##*/}" ] || continue
		(cd "$dir" && find . -type f -exec md5sum {} + | sort) |
		    cmp -s - "$T/sums.${dir##*/}" ||
		    fail "$what: $dir has changed since it was verified"
	done
}

one_round()
{
	local w full lost=0 durable found steps n out pids=()

	choose_options
	what="seed $seed: $fs, round $round: $options"
	echo "$what"
	start_kvfs -o "$options"
	verify_earlier
	full=some
	[ $mode != full ] || full=full
	for ((w = 1; w <= writers; w++)); do
		mkdir "$MNT/r$round.$w" || fail "mkdir"
	done
	sync "$MNT"
	for ((w = 1; w <= writers; w++)); do
		"$write" "$MNT/r$round.$w" "$T/journal.$w" \
		    $((seed * 100 + round * 10 + w)) $full $flush \
		    2>"$T/err.$w" &
		pids[w]=$!
	done
	# Any moment will do; the sleep is the subject, not a wait.
	sleep "$((RANDOM % 2)).$((RANDOM % 9 + 1))"
	"$shutdown" -s $((RANDOM)) "$STORE" 2>"$T/err" ||
	    skip "$fs cannot be shut down: $(cat "$T/err")"
	for ((w = 1; w <= writers; w++)); do
		timeout 60 tail --pid="${pids[w]}" -s 0.02 -f /dev/null ||
		    fail "$what: writer $w goes on after the cut"
		wait "${pids[w]}" ||
		    fail "$what: no EIO: $(cat "$T/err.$w")"
	done
	kill -0 "$PID" || fail "$what: the daemon has died"
	# A change may still go to memory, but not be called durable.
	if mkdir "$MNT/after" 2>/dev/null; then
		! sync "$MNT" 2>/dev/null || fail "$what: sync after the cut"
	fi
	stat_value "$MNT" State | grep -q . || fail "$what: no answer"
	# The power is off: how the daemon ends is all the same.
	[ $((RANDOM % 2)) = 0 ] || kill -KILL "$PID"
	unmount "$MNT" || fail "$what: umount"
	wait_gone "$PID"
	PID=
	unmount_disk

	mount_disk
	# It may say on stderr what the cut took away.
	same "$what: check before the mount" "Problems: 0" \
	    "$("$KVFSCTL_BIN" check "$STORE" 2>"$T/err")"
	start_kvfs
	for ((w = 1; w <= writers; w++)); do
		out=$("$verify" "$MNT/r$round.$w" "$T/journal.$w") ||
		    fail "$what: writer $w"
		read -r durable found steps n <<<"$out"
		echo "  writer $w: $steps steps, $durable durable, $found found"
		[ "$steps" -gt 0 ] || fail "$what: writer $w did nothing"
		lost=$((lost + n))
		(cd "$MNT/r$round.$w" && find . -type f -exec md5sum {} + |
			sort) >"$T/sums.r$round.$w"
	done
	# One under way for each writer; a rename may be two.
	[ -z "$commits" ] || [ $lost -le $((commits + writers)) ] ||
	    fail "$what: $lost commits lost"
	same "$what: check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
	stop_kvfs
}

for fs in ext4 xfs; do
	make_disk $fs 1G
	for ((round = 1; round <= rounds; round++)); do
		one_round
	done
	start_kvfs
	verify_earlier
	echo "still writable" >"$MNT/file" || fail "$fs: writing at the end"
	stop_kvfs
	unmount_disk
	rm -f "$T"/sums.*
done
