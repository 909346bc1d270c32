#!/bin/sh
# SPDX-License-Identifier: ISC
# Listings by several processes at once, while others create and delete:
# nothing twice, nothing missed that was there throughout, and seekdir(3)
# comes back to where telldir(3) was.
. "$(dirname "$0")/lib.sh"
tools=${KVFS_BUILD:-$top/build}/tests/mount
tool=$tools/list_churn
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"

start_kvfs
mkdir "$MNT/large" "$MNT/small"
timeout 300 "$tool" "$MNT/large" 5 1 60 3000 || fail "a large directory"
timeout 300 "$tool" "$MNT/small" 4 2 200 20 || fail "a small directory"

# The kernel's copy of a listing, with each way to end in a page.
for files in 125 126 127 253 254 255 1022; do
  mkdir "$MNT/page-$files"
  "$tools/list_page_end" "$MNT/page-$files" "$files" || fail "$files files"
done

# Inode numbers are the same after a remount.
before=$(ls -i "$MNT/large" | sort | md5sum)
remount
same "inode numbers" "$before" "$(ls -i "$MNT/large" | sort | md5sum)"
"$KVFSCTL_BIN" check "$MNT" >"$T/report" || fail "check: $(cat "$T/report")"
