#!/bin/bash
# SPDX-License-Identifier: ISC
# The power fails under several writers, on ext4 and on XFS, in a random
# durability mode: the file system below the store is shut down without its
# journal, after the kernel has written some of what was dirty in no order.
# The daemon must live on and say EIO. Afterwards everything mounts without
# a hand, check finds nothing, and each writer's directory is as it was
# after one of its steps, none before the last that was durable
# (history.c). KVFS_CUT_ROUNDS (2) per file system, KVFS_SEED.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
rounds=${KVFS_CUT_ROUNDS:-2}
seed=${KVFS_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "KVFS_SEED=$seed"
RANDOM=$seed
history=$(tool history)
shutdown=$(tool ioctl_shutdown)
writers=4

one_of()
{
	shift $((RANDOM % $#))
	echo "$1"
}

choose_options()
{
	commits=
	case $((RANDOM % 5)) in
	0) sync=full ;;
	1) commits=$(one_of 1 10 100); sync=every:$commits ;;
	2) commits=$(one_of 10 100); sync=hybrid:$commits:$(one_of 20 500) ;;
	*) sync=interval:$(one_of 5 50 300 1000) ;;
	esac
	flush=$(one_of close close lazy)
	options=sync=$sync,flush=$flush
	options+=,wal_buffer=$(one_of 0 0 64K 1M)
	options+=,memtable=$(one_of 1M 4M 64M)
	options+=,compression=$(one_of snappy none)
	options+=,writeback=$(one_of 20 200 1000)
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
	local w full lost=0 durable found done n out pids=()

	choose_options
	what="seed $seed: $fs, round $round: $options"
	echo "$what"
	start_kvfs -o "$options"
	verify_earlier
	full=some
	[ $sync != full ] || full=full
	for ((w = 1; w <= writers; w++)); do
		mkdir "$MNT/r$round.$w" || fail "mkdir"
	done
	sync "$MNT"
	for ((w = 1; w <= writers; w++)); do
		"$history" write "$MNT/r$round.$w" "$T/journal.$w" \
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
	same "$what: state after the cut" "failed, read-only" \
	    "$(stat_value "$MNT" State)"
	# The power is off: how the daemon ends is all the same.
	[ $((RANDOM % 2)) = 0 ] || kill -KILL "$PID"
	unmount "$MNT" || fail "$what: umount"
	wait_gone "$PID"
	PID=
	unmount_disk

	mount_disk
	out=$("$KVFSCTL_BIN" check "$STORE" 2>&1)
	same "$what: check before the mount" "Problems: 0" "$out"
	start_kvfs
	for ((w = 1; w <= writers; w++)); do
		out=$("$history" verify "$MNT/r$round.$w" "$T/journal.$w") ||
		    fail "$what: writer $w"
		read -r durable found done n <<<"$out"
		echo "  writer $w: $done steps, $durable durable, $found found"
		[ "$done" -gt 0 ] || fail "$what: writer $w did nothing"
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
