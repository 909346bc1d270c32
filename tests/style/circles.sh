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

# Sources that are in circles today; this list only becomes shorter.
known=$(sort <<'END'
engine/repair/repair.c
engine/repair/repair_logs.c
engine/repair/repair_manifest.c
engine/repair/repair_tables.c
engine/repair/repair_write.c
engine/repair/salvage_scan.c
engine/repair/salvage_table.c
END
)

# Objects of sources that are gone may still lie there.
objects=$(find src -name '*.c' | sed "s,^,$build/,; s,\.c$,.o,")
# shellcheck disable=SC2086
found=$(nm -A $objects 2>/dev/null | sed "s,^$build/src/,,; s,\.o:,.c ," | awk '
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

status=0
new=$(comm -13 <(echo "$known") <(echo "$found"))
gone=$(comm -23 <(echo "$known") <(echo "$found"))
if [ -n "$new" ]; then
  printf 'in a circle of uses:\n%s\n' "$new"
  status=1
fi
if [ -n "$gone" ]; then
  printf 'in no circle any more, take it off the list:\n%s\n' "$gone"
  status=1
fi
exit $status
