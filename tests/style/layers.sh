#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# No folder of src includes a higher one, no room of a folder one that
# stands above it, and each thing that only one folder may see is seen there
# alone (README, "Architecture"; doc/engine.md).
cd "$(dirname "$0")/../.." || exit 1
status=0

# forbid WHAT REGEX PATH...: no line of the files matches.
forbid() {
  local what=$1 regex=$2 found
  shift 2
  found=$(grep -rnE --include='*.[ch]' "$regex" "$@")
  [ -z "$found" ] && return
  printf '%s:\n%s\n' "$what" "$found"
  status=1
}

inc='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
forbid 'util knows only bytes' \
  "$inc"'("(kv|engine|fs|lane|fuse|tools)/|<fuse)' src/util
forbid 'kv belongs to the seam, not to an engine' \
  "$inc"'("(engine|fs|lane|fuse|tools)/|<fuse)' src/kv
forbid 'the engine does not know what a file is' \
  "$inc"'("(fs|lane|fuse|tools)/|<fuse)' src/engine
forbid 'fs meets the engine only through kvfs/kv.h' \
  "$inc"'("(engine|lane|fuse|tools)/|<fuse)' src/fs
forbid 'the lane knows the file system alone' \
  "$inc"'("(kv|engine|fuse|tools)/|<fuse|"kvfs/store\.h)' src/lane
forbid 'fs does not know which store there is' \
  "$inc"'"kvfs/store\.h' src/fs src/kv
forbid 'fuse knows rows and tools not' \
  "$inc"'"(engine|tools)/' src/fuse
forbid 'fuse sees of fs only fs/fs.h' \
  "$inc"'"fs/([^f]|f[^s]|fs[^.])' src/fuse src/tools src/lane
forbid 'tools know neither libfuse nor the daemon' \
  "$inc"'("(engine|fuse)/|<fuse)' src/tools
forbid 'the seam stands alone' \
  "$inc"'"(util|kv|engine|fs|lane|fuse|tools)/' include
forbid 'snappy is used by util/compress.c alone' \
  "$inc"'<snappy' src/kv src/engine src/fs src/lane src/fuse src/tools

# rooms FOLDER ROOM...: a room includes those that follow it, and itself;
# "." stands for the files that lie in no room. A pair "FILE HEADER" in
# known_violations is let pass, and must be one.
rooms() {
  local folder=$1
  shift
  grep -rnoE --include='*.[ch]' "$inc\"$folder/[^\"]+\"" "src/$folder" |
    grep -v 'fuse/fuse_api\.h"$' | # libfuse itself
    sed -E 's,^src/([^:]*):[0-9]+:.*"([^"]+)"$,\1 \2,' |
    awk -v folder="$folder" -v rooms="$*" -v known="$known_violations" '
      function room(path,   p) {
        return split(path, p, "/") > 2 ? p[2] : "."
      }
      BEGIN {
        n = split(rooms, order, " ")
        for (i = 1; i <= n; i++) rank[order[i]] = i
        n = split(known, line, "\n")
        for (i = 1; i <= n; i++)
          if (line[i] ~ "^" folder "/") expected[line[i]] = 1
      }
      {
        from = room($1); to = room($2)
        if (!(from in rank) || !(to in rank)) {
          print "a room without a place in the order: " $0
          bad = 1
        } else if (rank[to] < rank[from]) {
          if ($0 in expected) { seen[$0] = 1; next }
          print from " stands below " to ": " $0
          bad = 1
        }
      }
      END {
        for (k in expected)
          if (!(k in seen)) { print "no violation any more: " k; bad = 1 }
        exit bad
      }' || status=1
}

known_violations=''
rooms engine repair store work compact state tree log table cache segment \
  memtable env key
rooms fuse . request control lane reply mount serve options
exit $status
