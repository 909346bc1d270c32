#!/bin/sh
# SPDX-License-Identifier: ISC
# Every mount option is taken, and shows in what runs.
. "$(dirname "$0")/lib.sh"

has()
{
	grep -qx -- "$1" "$MNT/.kvfs/options" ||
	    fail "no $1: $(cat "$MNT/.kvfs/options")"
}

# Mount with the first argument, find the others in force, work.
try()
{
	opts=$1
	shift
	start_kvfs -o "$opts"
	for want in "$@"; do
		has "$want"
	done
	echo "$opts" >"$MNT/f"
	same "contents with $opts" "$opts" "$(cat "$MNT/f")"
	stop_kvfs
}

try defaults sync=interval:1000 flush=close wal_buffer=0 rw noatime \
    max_size=0
for mode in full every:10 interval:50 hybrid:10:50 checkpoint off; do
	try sync=$mode sync=$mode
done
try sync sync=full
try flush=lazy,writeback=100,writeback_size=8M flush=lazy writeback=100 \
    writeback_size=8M
try wal_buffer=1M,sync=every:100 wal_buffer=1M sync=every:100
try profile=safe sync=full flush=close wal_buffer=0
try profile=fast sync=interval:100 flush=lazy wal_buffer=1M
try flush=close,profile=fast flush=close sync=interval:100
try sync=off,sync=full sync=full
try compression=none,cache=16M,memtable=1M,compaction_threads=1 \
    compression=none cache=16M memtable=1M compaction_threads=1
try memory=64M memory=64M cache=32M memtable=8M writeback_size=8M
try memory=64M,cache=20M memory=64M cache=20M
try threads=1,max_background=8 threads=1 max_background=8
try noatime noatime
try relatime relatime
try strictatime strictatime
try strictatime,atime relatime
try acl acl
try noacl noacl
try noxattr noxattr noacl
try max_size=64M max_size=64M
try kernel_writeback kernel_writeback
try ro,rw rw
try nosuid,nodev,noexec,nofail,_netdev,x-systemd.automount,comment=x,users \
    noexec
try suid,dev,exec suid dev

# noxattr: none at all.
if has_tool setfattr; then
	start_kvfs -o noxattr
	refuses "not supported" setfattr -n user.a -v 1 "$MNT/f"
	stop_kvfs
fi

# What the kernel has to know is in the mount table.
start_kvfs -o noexec,ro
grep " $MNT fuse.kvfs " /proc/self/mounts | grep -q 'ro,.*noexec' ||
    fail "ro,noexec are not in the mount table"
stop_kvfs

start_kvfs -o fsname=some,subtype=other
grep " $MNT " /proc/self/mountinfo | grep -q ' - fuse.other some ' ||
    fail "the names: $(grep " $MNT " /proc/self/mountinfo)"
stop_kvfs

# How much it may send at a time is the kernel's own figure.
if has_root; then
	mkdir "$T/connections"
	for max in 8 64; do
		start_kvfs -o "max_background=$max"
		mount -t fusectl none "$T/connections" || fail "fusectl"
		number=$(mountpoint -d "$MNT")
		got=$(cat "$T/connections/${number#*:}/max_background")
		umount "$T/connections"
		same "max_background of the connection" "$max" "$got"
		stop_kvfs
	done
fi

# A user's mount: others come in only with allow_other, which asks for
# user_allow_other in fuse.conf. That, and a /dev/fuse for all, are put in
# place in a namespace of their own.
user_mounts='
	mount --bind "$T/fuse" /dev/fuse
	mount --bind "$T/fuse.conf" /etc/fuse.conf
	mkdir -m 777 "$T/user"
	cd "$T/user"
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	$nobody mkdir mnt
	$nobody "$KVFS_BIN" "$T/user/store" "$T/user/mnt" -o "$1" || exit 3
	echo mine | $nobody tee mnt/f >/dev/null
	setpriv --reuid=65533 --regid=65533 --clear-groups \
	    cat mnt/f >"$T/out" 2>&1 || :
	$nobody "$KVFSCTL_BIN" umount "$T/user/mnt"'
# try_user STATUS TEXT OPTIONS CONF: what another user gets, or the message
try_user()
{
	echo "$4" >"$T/fuse.conf"
	: >"$T/out"
	unshare -m --propagation private sh -eu -c "$user_mounts" sh "$3" \
	    2>"$T/err"
	same "status of $3 with $4: $(cat "$T/err")" "$1" $?
	grep -q "$2" "$T/out" "$T/err" ||
	    fail "$3 with $4: $(cat "$T/out" "$T/err")"
	rm -r "$T/user"
}
if has_root && has_tool fusermount3; then
	chmod 755 "$T"
	mknod -m 666 "$T/fuse" c 10 229
	export T KVFS_BIN KVFSCTL_BIN
	try_user 0 "Permission denied" noatime user_allow_other
	try_user 0 ^mine allow_other user_allow_other
	try_user 3 user_allow_other allow_other "# nothing"
fi

# One operand: the store has a place of its own, and kvfs says which.
STORE_HOME=$T/home
export XDG_DATA_HOME="$STORE_HOME"
if [ "$(id -u)" != 0 ]; then
	"$KVFS_BIN" "$MNT" >"$T/out" || fail "kvfs MOUNTPOINT"
	grep -q "the store is $STORE_HOME/kvfs/" "$T/out" || fail "which store"
	PID=$(stat_value "$MNT" Pid)
	stop_kvfs
else
	name=$(echo "$MNT" | sed 's,^/,,; s,-,\\x2d,g; s,/,-,g')
	default=/var/lib/kvfs/$name
	made=
	[ -d /var/lib/kvfs ] || made=1
	"$KVFS_BIN" "$MNT" >"$T/out" || fail "kvfs MOUNTPOINT"
	PID=$(stat_value "$MNT" Pid)
	got=$(stat_value "$MNT" Store)
	stop_kvfs
	rm -rf "$default"
	[ -z "$made" ] || rmdir /var/lib/kvfs
	same "default place" "$default" "$got"
	grep -qF "the store is $default" "$T/out" || fail "which store"
fi
