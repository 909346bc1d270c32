#!/bin/bash
# SPDX-License-Identifier: ISC
# A disk that is full: what was written stays, deleting works and gives room
# back. A store that filled it can be mounted and recovered; one that others
# filled it around can be mounted read-only.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
deadline_seconds=30
max=2000000
head -c $((2 * max)) /dev/urandom >"$T/random" || fail "random"
declare -A size=() # of each file whose close has returned
n=0

# File fN of B bytes has what stands in $T/random from N * 7 + B % 1000 on.
# A new file of so many bytes; true when every call succeeded.
write_file()
{
	n=$((n + 1))
	if dd if="$T/random" of="$MNT/f$n" bs=128k conv=fsync \
	    iflag=skip_bytes,count_bytes skip=$((n * 7 + $1 % 1000)) \
	    count="$1" 2>"$T/err"; then
		size[f$n]=$1
		return 0
	fi
	rm -f "$MNT/f$n" || fail "cannot remove what did not fit"
	return 1
}

# Until not even a small file fits.
fill()
{
	local before=${#size[@]} bytes

	for bytes in $max 50000 5000; do
		while write_file $((1 + RANDOM * 64 % bytes)); do
			[ ${#size[@]} -lt 20000 ] || fail "$1: has no end"
		done
	done
	echo "$1: filled with $((${#size[@]} - before)) files, $(df -h \
	    --output=avail "$DISK" | tail -n 1) left on the disk"
	same "$1: state" writable "$(stat_value "$MNT" State)"
}

# Every file is there and right, and no other.
verify()
{
	local f

	for f in "${!size[@]}"; do
		cmp -s -n "${size[$f]}" "$T/random" "$MNT/$f" \
		    $((${f#f} * 7 + size[$f] % 1000)) 0 ||
		    fail "$1: $f, ${size[$f]} bytes: lost or wrong"
		echo "$f ${size[$f]}"
	done | sort >"$T/want"
	[ "${PIPESTATUS[0]}" = 0 ] || exit 1
	find "$MNT" -type f -printf '%f %s\n' | sort >"$T/got"
	cmp "$T/want" "$T/got" || fail "$1: other files, or sizes"
}

check()
{
	same "$1: check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
}

# All files but every Nth; all for 0.
delete_but()
{
	local f i=0 gone=()

	for f in "${!size[@]}"; do
		i=$((i + 1))
		[ "$2" = 0 ] || [ $((i % $2)) != 0 ] || continue
		gone+=("$MNT/$f")
		unset "size[$f]"
	done
	rm "${gone[@]}" || fail "$1: rm"
}

kill_kvfs()
{
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	"$KVFSCTL_BIN" umount "$MNT" || fail "umount"
}

by_itself()
{
	local what=$1
	shift
	size=()
	make_disk ext4 64M -m 0
	start_kvfs "$@"
	fill "$what"
	verify "$what: full"
	check "$what: full"
	remount "$@"
	verify "$what: full, mounted again"
	kill_kvfs
	start_kvfs "$@"
	verify "$what: full, killed and mounted again"
	check "$what: full, killed and mounted again"

	delete_but "$what" 4
	await "$what: room after deleting most" write_file 100000
	verify "$what: deleted most"
	fill "$what: again"
	verify "$what: full again"

	delete_but "$what" 0
	await "$what: room after deleting all" write_file 100000
	fill "$what: a third time"
	delete_but "$what" 2
	remount "$@"
	await "$what: room after deleting half and a remount" \
	    write_file 100000
	verify "$what: at the end"
	check "$what: at the end"
	stop_kvfs
	unmount_disk
}

by_another()
{
	local what="filled by another"

	size=()
	make_disk ext4 64M -m 0
	start_kvfs
	for _ in $(seq 20); do
		write_file 100000 || fail "$what: before"
	done
	dd if=/dev/zero of="$DISK/other" bs=64k 2>"$T/err"
	fill "$what"
	verify "$what: full"
	delete_but "$what" 2
	verify "$what: full, deleted half"
	kill_kvfs
	start_kvfs -o ro
	verify "$what: full, killed and mounted read-only"
	stop_kvfs
	rm "$DISK/other"
	start_kvfs
	await "$what: room when the other is gone" write_file 100000
	fill "$what: again"
	verify "$what: at the end"
	check "$what: at the end"
	stop_kvfs
	unmount_disk
}

case ${1:-all} in
all) ;;
default) by_itself "default options"; exit ;;
small) by_itself "small memtable" -o memtable=1M; exit ;;
another) by_another; exit ;;
esac
by_another
by_itself "small memtable" -o memtable=1M
by_itself "default options"
