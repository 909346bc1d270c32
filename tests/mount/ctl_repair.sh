#!/bin/bash
# SPDX-License-Identifier: ISC
# What a repair makes of a damaged store passes check at once, whatever was
# lost of it, and the damaged store stays as it is.
. "$(dirname "$0")/lib.sh"

# noise BYTES FILE: contents that compression leaves alone, in one write
noise()
{
	head -c "$1" /dev/urandom >"$T/noise"
	cp "$T/noise" "$2"
}

# Turn over four bytes of file $1 at $2.
flip()
{
	printf '\xff\xff\xff\xff' |
	    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# repair FROM: into $T/new, which check then finds nothing wrong in
repair()
{
	local before
	before=$(cat "$1"/* 2>/dev/null | sha256sum)
	rm -rf "$T/new"
	"$KVFSCTL_BIN" repair "$1" "$T/new" >"$T/out" 2>"$T/err"
	grep -q '^Losses: ' "$T/out" || fail "repair: $(cat "$T/err")"
	same "the damaged store" "$before" "$(cat "$1"/* 2>/dev/null | sha256sum)"
	same "check of the repaired store" "Problems: 0" \
	    "$("$KVFSCTL_BIN" check "$T/new" 2>&1)"
}

start_kvfs
mkdir -p "$MNT/users/deep/er"
for i in $(seq 20); do
	noise 100000 "$MNT/users/$i"
	noise 1000 "$MNT/users/deep/$i"
	ln "$MNT/users/$i" "$MNT/users/deep/er/$i"
done
(cd "$MNT" && find . -type f -exec sha256sum {} + | sort -k 2) >"$T/want"
stop_kvfs

# A value: its file is there, and has a hole.
seg=$(find "$STORE" -name '*.seg' -size +1 | head -1)
cp -r "$STORE" "$T/one"
flip "$T/one/$(basename "$seg")" 20000
repair "$T/one"
grep -Eq '^lost: users/(deep/er/)?[0-9]+: contents from byte [0-9]+ on: ' \
    "$T/out" || fail "no loss is told: $(cat "$T/out")"
same "losses" "Losses: 1" "$(tail -1 "$T/out")"
STORE_WAS=$STORE
STORE=$T/new
start_kvfs
(cd "$MNT" && find . -type f -exec sha256sum {} + | sort -k 2) >"$T/got"
stop_kvfs
# One file of two names differs.
same "files that differ" 2 "$(diff "$T/want" "$T/got" | grep -c '^<')"
same "files" "$(wc -l <"$T/want")" "$(wc -l <"$T/got")"
STORE=$STORE_WAS

# Blocks of a table: names of one directory are told with it, and how many are
# missing of whatever is known by its attributes; no line speaks of rows.
STORE=$T/tables
start_kvfs
mkdir "$MNT/many" "$MNT/big"
for i in $(seq 1000); do echo "$i" >"$MNT/many/$i"; done
for i in $(seq 20); do
	noise 200000 "$MNT/big/$i"
done
stop_kvfs
table=$(ls -S "$STORE"/*.sst | head -1)
size=$(stat -c %s "$table")
names=0 contents=0
for n in $(seq 1 15); do
	rm -rf "$T/bad"
	cp -r "$STORE" "$T/bad"
	flip "$T/bad/$(basename "$table")" $((size * n / 16))
	repair "$T/bad"
	if grep -Eq '^lost: many: of names from "[0-9]+" to "[0-9]+" some ' \
	    "$T/out"; then
		grep -Eq '^repaired: many: names lost: [1-9]' "$T/out" ||
		    fail "names: $(cat "$T/out")"
		names=$((names + 1))
	fi
	! grep -Eq '^repaired: big/[0-9]+: bytes of contents lost: ' \
	    "$T/out" || contents=$((contents + 1))
	! grep -Eq '^[a-z]+: .*(keys from|chunk [0-9]|dentry [0-9])' "$T/out" ||
	    fail "rows: $(cat "$T/out")"
done
[ $names != 0 ] || fail "no loss of names was told"
[ $contents != 0 ] || fail "no loss of contents was told"
STORE=$STORE_WAS

# Each file of the store, gone or with holes all over.
for f in "$STORE"/*; do
	name=$(basename "$f")
	[ "$name" = LOCK ] && continue
	size=$(stat -c %s "$f")
	[ "$size" -gt 0 ] || continue
	rm -rf "$T/bad"
	cp -r "$STORE" "$T/bad"
	for n in 1 3 5 7; do
		flip "$T/bad/$name" $((size * n / 8))
	done
	repair "$T/bad"
	rm "$T/bad/$name"
	repair "$T/bad"
done
