#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# What README.md and doc/ name is there: functions, as `name()`, sources and
# folders, as `state/install.c` or `work/`, and the targets of links.
cd "$(dirname "$0")/../.." || exit 1
status=0

complain() {
  echo "$*"
  status=1
}

names=$(find src include -name '*.[ch]' -exec grep -ohE '\b[a-z_0-9]+\(' {} + |
  sort -u)
files=$(git ls-files 2>/dev/null || find . -type f | sed 's,^\./,,')
for doc in README.md doc/*.md; do
  for token in $(grep -oE '`[A-Za-z0-9_./*-]+(\(\))?`' "$doc" | tr -d '`' |
    sort -u); do
    case $token in
      *'()')
        grep -qxF "${token%)}" <<<"$names" ||
          complain "$doc: no function $token" ;;
      *.c | *.h | *.sh | ?*/)
        # The end of a path; a folder's last letter is its slash.
        pattern=${token//./\\.}
        grep -qE "(^|/)${pattern//\*/[^/]*}" <<<"$files" ||
          complain "$doc: no file $token" ;;
    esac
  done
  for link in $(grep -oE '\]\([^)#:]+[)#]' "$doc" | sed 's/^](//; s/[)#]$//'); do
    [ -e "$(dirname "$doc")/$link" ] || complain "$doc: no file $link"
  done
done
exit $status
