# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Sourced after lib.sh by tests whose store lies on a disk of its own: a
# file system in an image, on a loop device that goes away with its mount.
#
#   make_disk ext4|xfs SIZE [mkfs args]
#                       a new one at $DISK, with the store in it
#   mount_disk, unmount_disk
#   tool VARIABLE NAME  path of a program built from tests/mount/NAME.c
#   await WHAT command...
#                       repeat the command until it succeeds, or fail
#
# At the end, whatever it is, background jobs are ended, then the mount, the
# daemon, the disk and the files.

need_root
[ -e /dev/loop-control ] || skip "no loop devices"
DISK=$T/disk
IMAGE=$T/image
STORE=$DISK/store
mkdir "$DISK"
deadline_seconds=60

tool()
{
	local path=${KVFS_BUILD:-$top/build}/tests/mount/$2

	[ -x "$path" ] || fail "$path: not built: make check-mount builds it"
	printf -v "$1" %s "$path"
}

mount_disk()
{
	mount -o loop "$IMAGE" "$DISK" || fail "cannot mount $IMAGE"
}

unmount_disk()
{
	umount "$DISK" || fail "cannot unmount $DISK"
}

make_disk()
{
	local fs=$1 size=$2
	shift 2
	need "mkfs.$fs"
	rm -f "$IMAGE"
	truncate -s "$size" "$IMAGE" || fail "truncate"
	"mkfs.$fs" -q "$@" "$IMAGE" || fail "mkfs.$fs"
	mount -o loop "$IMAGE" "$DISK" 2>"$T/err" ||
	    skip "$fs in a loop device: $(cat "$T/err")"
}

await()
{
	local what=$1 end=$((SECONDS + deadline_seconds))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] ||
		    fail "$what: not within $deadline_seconds seconds"
		sleep 0.05
	done
}

disk_cleanup()
{
	local status=$? jobs
	trap - EXIT INT TERM
	cd / || exit 1
	jobs=$(jobs -p)
	# shellcheck disable=SC2086
	[ -z "$jobs" ] || kill $jobs 2>/dev/null
	if is_mounted "$MNT"; then
		umount -l "$MNT"
	fi
	if [ -n "$PID" ] && kill -0 "$PID" 2>/dev/null; then
		timeout 60 tail --pid="$PID" -s 0.02 -f /dev/null ||
		    kill -KILL "$PID"
	fi
	wait
	if mountpoint -q "$DISK"; then
		umount "$DISK" || umount -l "$DISK"
	fi
	(exit $status)
	cleanup
}
trap disk_cleanup EXIT
trap 'exit 1' INT TERM
