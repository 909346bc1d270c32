#!/bin/sh
# SPDX-License-Identifier: ISC
# mount.kvfs as mount(8) calls it. With the helper installed in /sbin, also
# mount -t kvfs and a line of fstab.
. "$(dirname "$0")/lib.sh"

helper=$top/mount-scripts/mount.kvfs
pid_of()
{
	PID=$(stat_value "$MNT" Pid)
}

"$helper" "$STORE" "$MNT" -o rw,sync=full,noauto || fail "the helper"
pid_of
grep -qx sync=full "$MNT/.kvfs/options" || fail "sync=full is not in force"
# A remount changes what can change.
"$helper" "$STORE" "$MNT" -o remount,flush=lazy,sync=interval:20 ||
    fail "remount"
grep -qx sync=interval:20 "$MNT/.kvfs/options" || fail "remount: sync"
grep -qx flush=lazy "$MNT/.kvfs/options" || fail "remount: flush"
# What the kernel keeps is for root to change.
if has_root; then
	"$helper" "$STORE" "$MNT" -o remount,ro || fail "remount,ro"
	refuses "Read-only file system" touch "$MNT/new"
	"$helper" "$STORE" "$MNT" -o remount,rw || fail "remount,rw"
	touch "$MNT/new" || fail "writing after remount,rw"
fi
refuses "cannot change while mounted" \
    "$helper" "$STORE" "$MNT" -o remount,cache=3M
refuses "refused" "$helper" "$STORE" "$MNT" -o remount,sync=maybe
stop_kvfs

# mount.fuse3's way to name the type, letters together, other orders.
"$helper" -sn "kvfs#$STORE" -t kvfs "$MNT" || fail "kvfs#STORE"
pid_of
same "Store" "$STORE" "$(stat_value "$MNT" Store)"
stop_kvfs

# -f pretends, -v tells.
"$helper" -fv "$STORE" "$MNT" -o ro | grep -q "kvfs $STORE $MNT -o ro" ||
    fail "-fv"
! is_mounted "$MNT" || fail "-f mounted"

same "no operands" 2 "$("$helper" >/dev/null 2>&1; echo $?)"
same "unknown letter" 2 "$("$helper" -z a b >/dev/null 2>&1; echo $?)"
same "bad option" 2 \
    "$("$helper" "$STORE" "$MNT" -o nonsense >/dev/null 2>&1; echo $?)"
same "no mountpoint" 1 \
    "$("$helper" "$STORE" "$T/none" >/dev/null 2>&1; echo $?)"

# mount.fuse3(8), which starts kvfs from PATH.
if has_root && has_tool /sbin/mount.fuse3; then
	mkdir "$T/bin"
	ln -s "$KVFS_BIN" "$T/bin/kvfs"
	PATH=$T/bin:$PATH /sbin/mount.fuse3 "kvfs#$STORE" "$MNT" \
	    -o rw,cache=16M || fail "mount.fuse3"
	pid_of
	grep -qx cache=16M "$MNT/.kvfs/options" || fail "mount.fuse3: options"
	stop_kvfs
fi

# mount(8), which looks for its helpers in /sbin alone: there is one with
# nothing but ours, in a mount namespace of its own.
if has_root; then
	mkdir "$T/sbin"
	cp "$helper" "$T/sbin/mount.kvfs"
	echo "$STORE $MNT kvfs defaults,sync=full,noauto 0 0" >"$T/fstab"
	cat >"$T/by_mount" <<-'EOF'
	set -e
	mount --bind "$1/sbin" "$(readlink -f /sbin)"
	in_force() { grep -qx "$1" "$MNT/.kvfs/options"; }
	end() { "$KVFSCTL_BIN" umount "$MNT"; }
	trap 'umount -l "$MNT" 2>/dev/null' EXIT
	mount -t kvfs "$STORE" "$MNT" -o sync=full
	in_force sync=full
	end
	mount -T "$1/fstab" "$MNT"
	in_force sync=full
	mount -T "$1/fstab" -o remount,sync=every:7 "$MNT"
	in_force sync=every:7
	end
	trap - EXIT
	EOF
	STORE=$STORE MNT=$MNT PATH=$T/bin:$PATH unshare -m \
	    sh -x "$T/by_mount" "$T" 2>"$T/err" ||
	    fail "mount(8): $(cat "$T/err")"
fi
