#!/bin/sh
# SPDX-License-Identifier: ISC
# Promises of kvfs(1), MOUNT OPTIONS and DURABILITY, that no other test has;
# tests/promises.md lists them all.
. "$(dirname "$0")/lib.sh"

kill_kvfs()
{
	kill -KILL "$PID"
	umount -l "$MNT" 2>/dev/null || fusermount3 -u -z "$MNT"
	wait_gone "$PID"
	PID=
}

# ---- Contents that wait, and those that do not, when the daemon is killed

forever=flush=lazy,writeback=3600000
start_kvfs -o $forever
mkdir "$MNT/made"
ln -s target "$MNT/link"
mv "$MNT/made" "$MNT/renamed"
echo contents >"$MNT/before.rename"
mv "$MNT/before.rename" "$MNT/after.rename"
echo contents >"$MNT/before.link"
ln "$MNT/before.link" "$MNT/after.link"
echo contents >"$MNT/synced"
sync "$MNT/synced"
: >"$MNT/moded"
chmod 604 "$MNT/moded"
echo contents >"$MNT/waits"
kill_kvfs
start_kvfs -o $forever
same "a mode" "604" "$(stat -c %a "$MNT/moded")"
same "contents that were neither closed nor synced" "" "$(cat "$MNT/waits")"
same "a symbolic link" target "$(readlink "$MNT/link")"
[ -d "$MNT/renamed" ] && [ ! -e "$MNT/made" ] || fail "rename of a directory"
for f in after.rename before.link after.link synced; do
	same "contents of $f" contents "$(cat "$MNT/$f")"
done
# Everything that waits: fsync of the root, kvfsctl sync, close.
echo contents >"$MNT/root"
sync "$MNT"
kill_kvfs
start_kvfs -o $forever
same "after sync MOUNTPOINT" contents "$(cat "$MNT/root")"
echo contents >"$MNT/by_tool"
"$KVFSCTL_BIN" sync "$MNT" || fail "kvfsctl sync"
kill_kvfs
start_kvfs -o flush=close,writeback=3600000
same "after kvfsctl sync" contents "$(cat "$MNT/by_tool")"
echo contents >"$MNT/closed"
echo contents >"$MNT/open"
# It is open when the daemon is killed.
exec 7>>"$MNT/open"
echo more >&7
kill_kvfs
exec 7>&-
start_kvfs -o flush=close,writeback=3600000,relatime
case $(uname -r) in
6.18.[2-9][0-9]*)
	same "what was written and not closed" "contents
more" "$(cat "$MNT/open")"
	;;
esac
stop_kvfs

# ---- Read-only: not even a recovery of what the log has

sums()
{
	find "$STORE" -type f ! -name LOCK -exec sha256sum {} + | sort
}
sums >"$T/before"
start_kvfs -o ro
same "after close, of a mount that recovered nothing" contents \
    "$(cat "$MNT/closed")"
refuses "Read-only file system" touch "$MNT/new"
stop_kvfs
sums >"$T/after"
cmp "$T/before" "$T/after" || fail "a read-only mount changed the store"

# ---- Access times; without them the mount is stateless

reads()
{
	touch -a -d 2001-01-01 "$MNT/read"
	cat "$MNT/read" >/dev/null
	stat -c %x "$MNT/read" | cut -c 1-4
}
for option in defaults noatime relatime atime strictatime; do
	start_kvfs -o $option
	echo x >"$MNT/read"
	case $option in
	defaults | noatime)
		same "$option" 2001 "$(reads)"
		case $(uname -r) in
		6.18.[2-9][0-9]*)
			same "stateless" yes "$(stat_value "$MNT" Stateless)"
			;;
		esac
		;;
	*)
		same "$option" "$(date +%Y)" "$(reads)"
		same "stateless" no "$(stat_value "$MNT" Stateless)"
		;;
	esac
	stop_kvfs
done
# Each open and read moves it with strictatime, and no other's.
start_kvfs -o strictatime
echo x >"$MNT/read"
for i in 1 2 3; do
	before=$(stat -c %x "$MNT/read")
	cat "$MNT/read" >/dev/null
	[ "$(stat -c %x "$MNT/read")" != "$before" ] || fail "strictatime: $i"
done
stop_kvfs
for option in sync=full kernel_writeback; do
	start_kvfs -o $option
	same "stateless with $option" no "$(stat_value "$MNT" Stateless)"
	stop_kvfs
done

# ---- The rest

start_kvfs -o default_permissions,defaults,async,dirsync,auto,noauto,user,\
users,nouser,owner,group,nofail,_netdev,diratime,nodiratime,silent,loud,\
comment=text,x-systemd.automount,fsname=named,exec
printf '#!/bin/sh\necho ran\n' >"$MNT/program"
chmod 755 "$MNT/program"
same "exec" ran "$("$MNT/program")"
stop_kvfs
start_kvfs -o noexec,noaffinity,spin=0
refuses "Permission denied" "$MNT/program"
for i in $(seq 300); do
	mkdir "$MNT/d" && rmdir "$MNT/d" || fail "round $i"
done
same "answered beside the caller with noaffinity" 0 \
    "$(stat_value "$MNT" "Requests answered beside the caller")"
grep -qx spin=0 "$MNT/.kvfs/options" || fail "spin=0 is not in force"
grep -qx noaffinity "$MNT/.kvfs/options" || fail "noaffinity is not in force"
stop_kvfs
if has_tool setfacl; then
	start_kvfs -o noacl
	refuses "not supported" setfacl -m u:12345:r "$MNT/read"
	stop_kvfs
fi
if has_root && has_tool setpriv; then
	chmod 755 "$T"
	start_kvfs
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	echo mine >"$MNT/mine"
	chmod 600 "$MNT/mine"
	$nobody ls "$MNT" >/dev/null || fail "others may not look"
	refuses "Permission denied" $nobody cat "$MNT/mine"
	stop_kvfs
fi
