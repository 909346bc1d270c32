#!/bin/bash
# SPDX-License-Identifier: ISC
# kill -9 of the daemon at random moments under several writers. After
# each: the store mounts, check finds nothing, every file that was written
# before the kill, closed or not, is there and right, a file replaced by
# rename is old or new, and a deleted one stays deleted.
# KVFS_KILL_ROUNDS (3), KVFS_SEED.
. "$(dirname "$0")/lib.sh"
rounds=${KVFS_KILL_ROUNDS:-3}
seed=${KVFS_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "KVFS_SEED=$seed"
RANDOM=$seed
writers=4

# The contents of version v of a file: its name and v, many times, so that
# a torn file is seen. Sizes from inline to several chunks.
contents()
{
	local name=$1 v=$2 lines=$((($2 * 7919 + ${#1}) % 12))
	echo "$name $v"
	[ $lines -lt 6 ] || seq -f "$name $v %g" $(((1 << (lines - 5)) * 40))
	echo "$name $v end"
}

# The shell does not say when close fails, so ask the daemon for something
# that no cache can answer: if it still lives, it was there for the close.
was_closed()
{
	mkdir -p "$1/alive" && rmdir "$1/alive"
}

# Writes until the daemon is gone, and notes each step that has returned
# in a journal outside the mount: "new NAME V", "del NAME".
writer()
{
	local w=$1 round=$2 dir=$MNT/$1 n=0 name
	mkdir -p "$dir" || return
	while :; do
		n=$((n + 1))
		name=f$((n % 40))
		v=$((round * 1000000 + n))
		case $((n % 5)) in
		0)	# A new name.
			name=n$round.$n
			contents "$name" $v >"$dir/$name" || return
			;;
		1)	# Written beside, renamed over.
			echo "try $name $v" >>"$T/journal.$w"
			contents "$name" $v >"$dir/$name.tmp" &&
			    mv "$dir/$name.tmp" "$dir/$name" || return
			;;
		2)	# Renamed over without a close between.
			echo "try $name $v" >>"$T/journal.$w"
			{
				contents "$name" $v &&
				    mv "$dir/$name.tmp" "$dir/$name"
			} >"$dir/$name.tmp" || return
			;;
		3)	# Deleted again.
			name=d$round.$n
			contents "$name" $v >"$dir/$name" &&
			    rm "$dir/$name" || return
			echo "del $name $v" >>"$T/journal.$w"
			continue
			;;
		4)	# Written and kept open; the next one closes it.
			name=o$round.$n
			exec 7>"$dir/$name" &&
			    contents "$name" $v >&7 || return
			;;
		esac
		was_closed "$dir" || return
		echo "new $name $v" >>"$T/journal.$w"
	done
}

# What must and may be there, from the journal; compares every file.
verify_writer()
{
	local w=$1 dir=$MNT/$1 what name v
	declare -A sure=() maybe=() deleted=()
	[ -e "$T/journal.$w" ] || return 0
	while read -r what name v; do
		case $what in
		new) sure[$name]=$v; unset "maybe[$name]" ;;
		try) maybe[$name]=$v ;;
		del) deleted[$name]=1 ;;
		esac
	done <"$T/journal.$w"
	for name in "${!deleted[@]}"; do
		[ ! -e "$dir/$name" ] || fail "$w/$name: deleted, but back"
	done
	for name in "${!sure[@]}" "${!maybe[@]}"; do
		if [ ! -e "$dir/$name" ]; then
			[ -z "${sure[$name]:-}" ] ||
			    fail "$w/$name: lost, version ${sure[$name]}"
			continue
		fi
		v=
		read -r _ v <"$dir/$name"
		[ -n "$v" ] || fail "$w/$name: empty or half"
		[ "$v" = "${sure[$name]:-}" ] ||
		    [ "$v" = "${maybe[$name]:-}" ] ||
		    fail "$w/$name: version $v, not ${sure[$name]:-none} or\
 ${maybe[$name]:-none}"
		[ "$(contents "$name" "$v")" = "$(<"$dir/$name")" ] ||
		    fail "$w/$name: wrong contents of version $v"
	done
	# What was seen is now what is there.
	for name in "${!sure[@]}" "${!maybe[@]}"; do
		[ -e "$dir/$name" ] || continue
		read -r _ v <"$dir/$name"
		echo "new $name $v"
	done >"$T/journal.new"
	mv "$T/journal.new" "$T/journal.$w"
}

for round in $(seq "$rounds"); do
	start_kvfs
	for w in $(seq $writers); do
		writer "$w" "$round" 2>/dev/null &
		pids[w]=$!
	done
	# Any moment will do; the sleep is the subject, not a wait.
	sleep "$((RANDOM % 2)).$((RANDOM % 9 + 1))"
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	for w in $(seq $writers); do
		wait "${pids[w]}" 2>/dev/null
	done
	"$KVFSCTL_BIN" umount "$MNT" || fail "round $round: umount"
	same "round $round: check" "Problems: 0" \
	    "$("$KVFSCTL_BIN" check "$STORE")"
	start_kvfs
	for w in $(seq $writers); do
		verify_writer "$w"
	done
	same "round $round: check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
	stop_kvfs
done
echo "$rounds rounds, $(cat "$T"/journal.* | wc -l) files verified"
