#!/bin/bash
# SPDX-License-Identifier: ISC
# A tree with everything that copies should keep (links, holes, lists,
# attributes, owners, times, kinds) by rsync, tar and cp: a further rsync
# finds nothing to do, before and after a remount.
. "$(dirname "$0")/lib.sh"
need_root # to give files away
need rsync tar setfacl setfattr

# Made on another mount with the same options: what the file system below
# can store does not matter.
start_kvfs
mkdir -p "$MNT/from/a/b"
cd "$MNT/from" || exit 1
echo contents >a/f
ln a/f a/hard
ln -s f a/soft
mkfifo a/fifo
mknod a/device c 1 3
setfacl -m u:1:r a/f
setfacl -d -m g:5:rwx a/b
setfattr -n user.k -v value a/f
setfattr -n trusted.t -v value a/b
truncate -s 5M a/sparse
printf data | dd of=a/sparse bs=1 seek=3000000 conv=notrunc 2>/dev/null
chmod 2750 a/b
chown 5:6 a/f a/soft -h
touch -d '2001-02-03 04:05:06.123456789' a/f a/b

mkdir ../rsync ../tar
rsync -aHAXS ./ ../rsync/ || fail "rsync"
all=(--xattrs '--xattrs-include=*' --acls)
tar "${all[@]}" -cf "$T/all.tar" . || fail "tar -c"
tar "${all[@]}" -C ../tar -xpf "$T/all.tar" || fail "tar -x"
cp -a --sparse=always . ../cp || fail "cp"

differences()
{
	for copy in rsync tar cp; do
		rsync -aHAXSnic --delete "$MNT/from/" "$MNT/$copy/"
	done
}

same "copies differ" "" "$(differences)"
cd /
remount
same "copies differ after a remount" "" "$(differences)"
for copy in rsync cp; do
	blocks=$(du -k "$MNT/$copy/a/sparse" | cut -f 1)
	[ "$blocks" -le 64 ] || fail "$copy: the holes take $blocks KiB"
done
same "nanoseconds" "2001-02-03 04:05:06.123456789" \
    "$(stat -c %y "$MNT/tar/a/f" | cut -c 1-29)"
"$KVFSCTL_BIN" check "$MNT" >"$T/report" || fail "check: $(cat "$T/report")"
