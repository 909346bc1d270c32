#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Every mutex has a place in the order of locks (src/util/mutex.h), and every
# mutex that is named there exists. Every function that is called *_locked, or
# is exempt from the analysis of locks, asserts who holds them.
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

# Definitions begin with the name at the start of a line and end with "}"
# there. Prints "asserts" or "lacks", and the function.
functions=$(find src -name '*.[ch]' ! -path 'src/util/mutex.*' -print0 |
  xargs -0 awk '
    /^[a-z_0-9]+\(/ { head = ""; name = $0; sub(/\(.*/, "", name) }
    !body { head = head " " $0 }
    /;$/ && !body { name = head = "" }
    /^{/ && name != "" {
      body = 1; asserts = 0
      exempt = head ~ /NO_THREAD_SAFETY|UNSHARED/
    }
    body && /(mutex|rename)_assert_|assert_two\(/ { asserts = 1 }
    # The mutex begins or ends here: mutex_fini() asserts that it is free.
    body && exempt && /mutex_(init|fini)\(/ { asserts = 1 }
    /^}/ && body {
      if (name ~ /_locked$/ || exempt)
        print (asserts ? "asserts" : "lacks"), FILENAME ": " name
      body = 0; name = head = ""
    }')
lacking=$(sed -n 's/^lacks //p' <<<"$functions")
if [ -n "$lacking" ]; then
  printf 'no mutex_assert_held() in:\n%s\n' "$lacking"
  status=1
fi
# Fewer than there were once: the search above finds them no more.
[ "$(grep -c '^asserts' <<<"$functions")" -ge 80 ] || {
  echo 'functions that hold locks are not found any more'
  status=1
}
exit $status
