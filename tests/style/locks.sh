#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Every mutex has a place in the order of locks (src/util/mutex.h), and every
# mutex that is named there exists.
cd "$(dirname "$0")/../.." || exit 1

listed=$(sed -n '/^ \* Lock order/,/^ \*\//s,^ \*   \([a-z_0-9/]*\.[ch]\) \([a-z_]*\).*,\1 \2,p' \
  src/util/mutex.h | sort)
there=$(grep -rnoE --include='*.[ch]' \
  '^[[:space:]]*(static |_Alignas\([0-9]+\) )*struct mutex [a-z_]+;' src |
  sed -E 's,^src/([^:]*):[0-9]+:.* ([a-z_]+);$,\1 \2,' | sort)
unlisted=$(comm -13 <(echo "$listed") <(echo "$there"))
missing=$(comm -23 <(echo "$listed") <(echo "$there"))
status=0
if [ -n "$unlisted" ]; then
  printf 'mutexes without a place in the order of locks:\n%s\n' "$unlisted"
  status=1
fi
if [ -n "$missing" ]; then
  printf 'in the order of locks, and nowhere else:\n%s\n' "$missing"
  status=1
fi
[ -n "$there" ] || status=1
exit $status
