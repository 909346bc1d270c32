#!/bin/bash
# SPDX-License-Identifier: ISC
# git works on a mount: commits, a clone, branches, work trees, repack, gc,
# and fsck finds nothing after the store was mounted anew.
. "$(dirname "$0")/lib.sh"
need git
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

# Three work trees of one repository commit at once, while it is repacked.
for w in 1 2 3; do
	git worktree add -q -b "work$w" "$MNT/work$w" HEAD~"$w" ||
	    fail "worktree add"
done
commit_in()
{
	cd "$MNT/work$1" || return 1
	for c in $(seq 5); do
		seq $((c * 1000)) >"made$1" && git add -A &&
		    git commit -q -m "commit $c in $1" || return 1
	done
}
pids=
for w in 1 2 3; do
	commit_in "$w" &
	pids="$pids $!"
done
git repack -q -a -d || fail "repack"
for pid in $pids; do
	wait "$pid" || fail "commits in work trees"
done
git merge -q -m work work1 work2 work3 || fail "merge of three"
git worktree remove "$MNT/work1" || fail "worktree remove"
git gc -q --prune=now || fail "gc with work trees"
git fsck --full --strict 2>&1 | grep -v '^Checking' | grep . &&
    fail "fsck with work trees"
head=$(git rev-parse HEAD)
cd / || exit 1
remount
git -C "$MNT/work2" status --porcelain | grep . && fail "work2 is not clean"
cd "$MNT/clone" || fail "cd"
git fsck --full --strict 2>&1 | grep -v '^Checking' | grep . &&
    fail "fsck of the clone"
git pull -q || fail "pull"
same "head" "$head" "$(git rev-parse HEAD)"
git status --porcelain | grep . && fail "status of the clone is not clean"
cd / || exit 1
stop_kvfs
