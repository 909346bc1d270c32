#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# No two sources of src use one another's functions or data, directly or by
# others: each can be read, and tested, knowing only what it stands on. What
# a source uses is read from its object with nm(1).
cd "$(dirname "$0")/../.." || exit 1
build=${KVFS_BUILD:-build}
[ -n "$(find "$build/src" -name '*.o' 2>/dev/null | head -n 1)" ] || {
  echo "no objects in $build/src: run make first"
  exit 1
}

# Objects of sources that are gone may still lie there.
objects=$(find src -name '*.c' | sed "s,^,$build/,; s,\.c$,.o,")
# shellcheck disable=SC2086
symbols=$(nm -A $objects 2>/dev/null)
[ -n "$symbols" ] || {
  echo "nm(1) finds no symbols in $build/src"
  exit 1
}
found=$(sed "s,^$build/src/,,; s,\.o:,.c ," <<<"$symbols" | awk '
    # A symbol: "SOURCE ADDRESS TYPE NAME", or "SOURCE U NAME".
    $2 == "U" { uses[++n] = $1 " " $3; next }
    $3 ~ /^[TDBRV]$/ { home[$4] = $1 }
    function reach(from,   i, to) {
      for (i = 1; i <= degree[from]; i++) {
        to = edge[from, i]
        if (mark[to] == goal) continue
        mark[to] = goal
        reach(to)
      }
    }
    END {
      for (i = 1; i <= n; i++) {
        split(uses[i], u, " ")
        to = home[u[2]]
        if (to == "" || to == u[1] || (u[1], to) in is_edge) continue
        is_edge[u[1], to] = 1
        edge[u[1], ++degree[u[1]]] = to
      }
      for (source in degree) {
        goal = source
        reach(source)
        if (mark[source] == goal) print source
      }
    }' | sort)

[ -z "$found" ] && exit
printf 'in a circle of uses:\n%s\n' "$found"
exit 1
