#!/bin/bash
# SPDX-License-Identifier: ISC
# git works on a mount: commits, a clone, branches, gc, and fsck finds
# nothing after the store was mounted anew.
. "$(dirname "$0")/lib.sh"
command -v git >/dev/null || skip "git is not installed"
export HOME=$T GIT_CONFIG_NOSYSTEM=1
git config --global user.name Tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false

start_kvfs
git init -q "$MNT/repo" || fail "init"
cd "$MNT/repo" || fail "cd"
for c in $(seq 20); do
	mkdir -p "dir$((c % 4))"
	for f in $(seq 10); do
		seq $((c * f)) >"dir$((c % 4))/file$f"
	done
	git add -A && git commit -q -m "commit $c" || fail "commit $c"
done
git checkout -q -b side HEAD~5 && echo side >side && git add side &&
    git commit -q -m side && git checkout -q main &&
    git merge -q -m merge side || fail "branch and merge"
git status --porcelain | grep . && fail "status is not clean"
git clone -q "$MNT/repo" "$MNT/clone" || fail "clone"
git gc -q --aggressive --prune=now || fail "gc"
git fsck --full --strict 2>&1 | grep -v '^Checking' | grep . && fail "fsck"
head=$(git rev-parse HEAD)
cd / || exit 1
remount
cd "$MNT/clone" || fail "cd"
git fsck --full --strict 2>&1 | grep -v '^Checking' | grep . &&
    fail "fsck of the clone"
git pull -q || fail "pull"
same "head" "$head" "$(git rev-parse HEAD)"
git status --porcelain | grep . && fail "status of the clone is not clean"
cd / || exit 1
stop_kvfs
