#!/bin/bash
# SPDX-License-Identifier: ISC
# POSIX access control lists: obeyed, inherited, kept true to the mode and
# over a remount; with noacl refused.
. "$(dirname "$0")/lib.sh"
need setfacl
need_root # to be somebody else

as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

acl_of()
{
	getfacl -ncEp "$1" 2>/dev/null | sed '/^$/d' |
	    paste -sd ' '
}

chmod 755 "$T"
start_kvfs
cd "$MNT" || exit 1
mkdir d
setfacl -m u:65534:rwx,d:u:65534:rwX,d:g::rx,d:o::- d || fail "setfacl"
umask 077

# Inherited, in place of the umask; what the caller asks for is the most.
touch d/f
mkdir d/sub
same "mode of a file" 660 "$(stat -c %a d/f)"
same "list of a file" \
    "user::rw- user:65534:rwx group::r-x mask::rw- other::---" "$(acl_of d/f)"
same "mode of a directory" 770 "$(stat -c %a d/sub)"
getfacl -ncEp d/sub | grep -q '^default:user:65534:rwx' ||
    fail "the default list is not inherited"
touch plain
same "the umask where there is no list" 600 "$(stat -c %a plain)"

# Obeyed.
as_nobody touch d/theirs || fail "the list gives the right to create"
setfacl -m u:65534:r-x d
refuses "Permission denied" as_nobody touch d/more

# The mode and the list follow each other.
chmod 640 d/f
same "list after chmod" \
    "user::rw- user:65534:rwx group::r-x mask::r-- other::---" "$(acl_of d/f)"
setfacl -m m::rwx d/f
same "mode after a new mask" 670 "$(stat -c %a d/f)"
setfacl -b d/f
same "mode without a list" 650 "$(stat -c %a d/f)"
[ -z "$(getfattr -d -m - d/f)" ] || fail "a list is left: $(getfattr -d -m - d/f)"
refuses "Operation not permitted" as_nobody setfacl -m u:65534:rwx plain
chmod u=rw,g=r,o=r plain
setfacl -m u::rwx,g::rx,o::x plain
same "a list that is the mode" 751 "$(stat -c %a plain)"
[ -z "$(getfattr -d -m - plain)" ] || fail "it was kept beside the mode"
refuses "Only directories" setfacl -d -m u:65534:rwx plain

# A list costs the set-gid bit who could not set it.
mkdir own
chown 65534:0 own
chmod 2755 own
as_nobody setfacl -m u:1:r own || fail "setfacl by the owner"
[ ! -g own ] || fail "set-gid stays"

# Copies, and another mount.
cp -a d copy
same "cp -a" "$(getfacl -ncEp d)" "$(getfacl -ncEp copy)"
want=$(getfacl -ncEpR d copy)
cd /
remount
same "lists after a remount" "$want" "$(cd "$MNT" && getfacl -ncEpR d copy)"
"$KVFSCTL_BIN" check "$MNT" >"$T/report" || fail "check: $(cat "$T/report")"

remount -o noacl
refuses "not supported" setfacl -m u:1:r "$MNT/plain"
[ -z "$(getfattr -d -m - "$MNT/d")" ] || fail "lists are shown with noacl"
mkdir "$MNT/d/later"
same "no list, no inheritance" 700 "$(stat -c %a "$MNT/d/later")"
