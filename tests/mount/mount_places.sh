#!/bin/sh
# SPDX-License-Identifier: ISC
# Where a mount can be: an ordinary user's, a user namespace's, below
# overlayfs; and a mount that becomes read-only and writable again.
. "$(dirname "$0")/lib.sh"
need_root # to be others
chmod 755 "$T"

# mount -o remount, as mount(8) calls it by way of mount.fuse.
start_kvfs
echo old >"$MNT/f"
"$KVFS_BIN" "$STORE" "$MNT" \
    -o ro,relatime,remount,user_id=0,group_id=0,default_permissions,dev ||
    fail "remount,ro"
refuses "Read-only" touch "$MNT/new"
same "read-only" old "$(cat "$MNT/f")"
"$KVFS_BIN" "$STORE" "$MNT" -o rw,remount,nosuid,flush=lazy ||
    fail "remount,rw"
echo new >"$MNT/f" || fail "writing after remount,rw"
grep " $MNT fuse.kvfs " /proc/self/mounts | grep -q 'rw,nosuid' ||
    fail "the flags: $(grep " $MNT " /proc/self/mounts)"
grep -qx flush=lazy "$MNT/.kvfs/options" || fail "remount: flush"
expect_error 2 "cannot change while mounted" \
    "$KVFS_BIN" "$STORE" "$MNT" -o remount,cache=3M
expect_error 1 "no kvfs is mounted" "$KVFS_BIN" "$T" -o remount,ro

# The lower layer of overlayfs.
mkdir "$T/upper" "$T/work" "$T/merged" "$MNT/d"
echo lower >"$MNT/d/a"
echo lower >"$MNT/d/b"
if unshare -m true 2>/dev/null; then
	unshare -m sh -eu -c '
		cd "$1"
		mount -t overlay overlay \
		    -o lowerdir=mnt,upperdir=upper,workdir=work merged
		[ "$(cat merged/d/a)" = lower ]
		echo upper >>merged/d/a
		rm merged/d/b
		echo c >merged/d/c
		[ "$(ls merged/d | paste -sd,)" = a,c ]
		[ "$(cat merged/d/a | paste -sd,)" = lower,upper ]
		[ "$(cat mnt/d/a)" = lower ]
	' sh "$T" || fail "overlayfs above kvfs"
	same "below overlayfs" a,b "$(cd "$MNT/d" && echo ./* |
	    sed 's,\./,,g; s, ,\,,g')"
fi
stop_kvfs

# Root of a user namespace mounts by itself.
mkdir "$T/ns"
if unshare -Urm true 2>/dev/null; then
	unshare -Urm sh -eu -c '
		cd "$1"
		"$KVFS_BIN" "$1/ns/store" "$1/mnt"
		echo inside >mnt/f
		mkdir mnt/d
		mv mnt/f mnt/d
		[ "$(cat mnt/d/f)" = inside ]
		"$KVFSCTL_BIN" umount "$1/mnt"
	' sh "$T" || fail "in a user namespace"
	same "what was written there" inside \
	    "$("$KVFSCTL_BIN" get "$T/ns/store" d/f)"
fi

# An ordinary user, by fusermount3, where /dev/fuse lets him.
mkdir -m 777 "$T/user"
need fusermount3
as_user='
	cd "$1/user"
	mkdir mnt
	"$KVFS_BIN" "$1/user/store" "$1/user/mnt" -o "$2"
	echo mine >mnt/f
	chmod 600 mnt/f
	ln mnt/f mnt/g
	grep " $1/user/mnt fuse.kvfs .*nosuid,nodev" /proc/self/mounts >/dev/null
	[ "$(stat -c %U:%h mnt/g)" = "$(id -un):2" ]
	"$KVFSCTL_BIN" umount "$1/user/mnt"
	[ "$("$KVFSCTL_BIN" get "$1/user/store" g)" = mine ]
	rm -r mnt store'
mknod -m 666 "$T/fuse" c 10 229
unshare -m sh -eu -c '
	mount --bind "$1/fuse" /dev/fuse
	setpriv --reuid=65534 --regid=65534 --clear-groups \
	    env HOME="$1/user" sh -eu -c "$2" sh "$1" noexec
' sh "$T" "$as_user" || fail "as an ordinary user"
