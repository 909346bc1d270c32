#!/bin/sh
# SPDX-License-Identifier: ISC
# Attributes of every kind, at once and after the store was mounted anew.
. "$(dirname "$0")/lib.sh"

start_kvfs
cd "$MNT" || exit 1

echo data >f
chmod 4751 f
touch -d '2001-02-03 04:05:06.123456789Z' f
mkdir -m 1777 d
touch -d '1965-01-01 00:00:00.5Z' d
ln f hard1
mkdir sub
ln f sub/hard2
ln -s /no/where dangling
ln -s f relative
# A target of the greatest length.
long=$(printf 'x%.0s' $(seq 4095))
ln -s "$long" longlink
mkfifo pipe
truncate -s 10M hole
printf middle | dd of=hole bs=1 seek=5000000 conv=notrunc 2>/dev/null
truncate -s 100 shrunk
printf '%0200d' 7 >shrunk
truncate -s 50 shrunk
if has_root; then
	mknod null c 1 3
	echo x >owned
	chown 1234:5678 owned
	mkdir -m 2775 setgid
	chgrp 4321 setgid
	chmod g+s setgid
	echo x >setgid/inherits
	mkdir setgid/inherits-too
fi
xattr=
if has_tool setfattr; then
	xattr=1
	setfattr -n user.probe -v 1 f || fail "setfattr"
	setfattr -x user.probe f
	setfattr -n user.small -v value f
	setfattr -n user.empty f
	setfattr -n user.big -v "$(printf 'y%.0s' $(seq 60000))" f
	setfattr -n user.on.dir -v 1 d
fi

verify()
{
	same "mode" 4751 "$(stat -c %a f)"
	same "mtime" "2001-02-03 04:05:06.123456789 +0000" \
	    "$(TZ=UTC stat -c %y f)"
	same "mtime before 1970" "1965-01-01 00:00:00.500000000 +0000" \
	    "$(TZ=UTC stat -c %y d)"
	same "mode of d" 1777 "$(stat -c %a d)"
	same "link count" 3 "$(stat -c %h f)"
	same "one inode" 1 "$(stat -c %i f hard1 sub/hard2 | sort -u | wc -l)"
	same "contents by another name" data "$(cat sub/hard2)"
	same "target" /no/where "$(readlink dangling)"
	same "followed" data "$(cat relative)"
	same "long target" "$long" "$(readlink longlink)"
	same "fifo" fifo "$(stat -c %F pipe)"
	same "size with a hole" 10485760 "$(stat -c %s hole)"
	same "in the hole's file" middle "$(tail -c +5000001 hole | head -c 6)"
	[ "$(stat -c %b hole)" -lt 1024 ] || fail "the hole takes space"
	same "zeros" 0 "$(head -c 5000000 hole | tr -d '\0' | wc -c)"
	same "shrunk" 50 "$(wc -c <shrunk)"
	same "links of directories" "2 3" "$(stat -c %h sub) $(cd "$T" &&
	    mkdir -p "$MNT/sub3/a" && stat -c %h "$MNT/sub3")"
	if [ "$(id -u)" = 0 ]; then
		same "device" "1 3" "$(stat -c '%t %T' null)"
		same "owner" "1234 5678" "$(stat -c '%u %g' owned)"
		same "inherited group" 4321 "$(stat -c %g setgid/inherits)"
		same "inherited set-gid" "4321 2" \
		    "$(stat -c '%g %a' setgid/inherits-too | cut -c -6)"
	fi
	[ -n "$xattr" ] || return 0
	same "xattr" value "$(getfattr --only-values -n user.small f)"
	same "empty xattr" "" "$(getfattr --only-values -n user.empty f)"
	same "big xattr" 60000 \
	    "$(getfattr --only-values -n user.big hard1 | wc -c)"
	same "names" "user.big user.empty user.small" \
	    "$(echo $(getfattr f 2>/dev/null | grep ^user | sort))"
	same "xattr of a directory" 1 \
	    "$(getfattr --only-values -n user.on.dir d)"
}
verify
cd / || exit 1
remount
cd "$MNT" || exit 1
verify

# What other changes do to attributes that the kernel holds.
rm hard1
same "link count after unlink" 2 "$(stat -c %h f)"
mv sub/hard2 hard3
same "link count after rename" 2 "$(stat -c %h f)"
echo y >g
mv g hard3
same "link count after rename over" 1 "$(stat -c %h f)"
mkdir sub/new
same "links of the parent" 3 "$(stat -c %h sub)"
rmdir sub/new
same "links of the parent" 2 "$(stat -c %h sub)"
before=$(stat -c %y sub)
touch sub/x
[ "$(stat -c %y sub)" != "$before" ] || fail "mtime of the parent"
before=$(stat -c %z f)
chmod 640 f
[ "$(stat -c %z f)" != "$before" ] || fail "ctime after chmod"
before=$(stat -c %y shrunk)
echo z >>shrunk
[ "$(stat -c %y shrunk)" != "$before" ] || fail "mtime after write"
same "size after write" 52 "$(stat -c %s shrunk)"

# Set-id bits go when another user than root writes.
if has_root && has_tool setpriv; then
	chmod 755 "$T"
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	for how in 'echo y >>s' 'echo y >s' 'truncate -s 1 s'; do
		echo x >s
		chmod 6777 s
		$nobody sh -c "$how"
		same "mode after $how" 777 "$(stat -c %a s)"
		chmod 6777 s
		sh -c "$how"
		same "mode after $how by root" 6777 "$(stat -c %a s)"
	done
	chown 1:1 s
	same "mode after chown" 777 "$(stat -c %a s)"
	umask 027
	: >masked
	mkdir masked.d
	same "umask" "640 750" "$(echo $(stat -c %a masked masked.d))"
fi
cd / || exit 1
stop_kvfs
