#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# Each operation on an atomic variable names its memory order. (Plain uses of
# such variables are found by make lint, with clang.)
cd "$(dirname "$0")/../.." || exit 1

operations='atomic_(load|store|exchange|fetch_[a-z]+'
operations+='|compare_exchange_(weak|strong)|flag_(test_and_set|clear))'
if grep -rnE --include='*.[ch]' "\\b$operations\\(" src; then
  echo 'no memory order: use the _explicit form, and say at the variable why'
  exit 1
fi
# The search finds what it looks for.
[ "$(grep -rhoE --include='*.[ch]' "\\b${operations}_explicit\\(" src |
  wc -l)" -ge 200 ]
