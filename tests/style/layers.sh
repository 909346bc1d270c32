#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# No folder of src includes a higher one, and each thing that only one
# folder may see is seen there alone (README, "Architecture").
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
  "$inc"'("(engine|fs|fuse|tools)/|<fuse)' src/util
forbid 'the engine does not know what a file is' \
  "$inc"'("(fs|fuse|tools)/|<fuse)' src/engine
forbid 'fs meets the engine only through kvfs/kv.h' \
  "$inc"'("(engine|fuse|tools)/|<fuse)' src/fs
forbid 'fuse knows rows and tools not' \
  "$inc"'"(engine|tools)/' src/fuse
forbid 'fuse sees of fs only fs/fs.h' \
  "$inc"'"fs/([^f]|f[^s]|fs[^.])' src/fuse src/tools
forbid 'tools know neither libfuse nor the daemon' \
  "$inc"'("(engine|fuse)/|<fuse)' src/tools
forbid 'the seam stands alone' \
  "$inc"'"(util|engine|fs|fuse|tools)/' include
forbid 'snappy is used by util/compress.c alone' \
  "$inc"'<snappy' src/engine src/fs src/fuse src/tools

exit $status
