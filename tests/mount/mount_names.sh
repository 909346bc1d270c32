#!/bin/bash
# SPDX-License-Identifier: ISC
# Names are bytes: every length and value that the kernel can pass.
. "$(dirname "$0")/lib.sh"

start_kvfs

# Every byte but NUL and "/" alone, and in the middle.
i=1
while [ $i -le 255 ]; do
	if [ $i -ne 47 ]; then
		printf -v c '\\x%x' $i
		printf -v c "$c"
		[ "$c" = . ] || echo $i >"$MNT/$c" ||
		    fail "a name of the byte $i"
		echo $i >"$MNT/x${c}y" || fail "the byte $i within a name"
	fi
	i=$((i + 1))
done
# 253: 254 without ".".
count()
{
	find "$MNT" -mindepth 1 -maxdepth 1 -printf x | wc -c
}
same "how many names" $((253 + 254)) "$(count)"
check_bytes()
{
	i=1
	while [ $i -le 255 ]; do
		if [ $i -ne 47 ]; then
			printf -v c '\\x%x' $i
			printf -v c "$c"
			read -r got <"$MNT/x${c}y"
			same "byte $i" $i "$got"
		fi
		i=$((i + 1))
	done
}
check_bytes
remount
same "how many names after mounting anew" $((253 + 254)) "$(count)"
check_bytes
# Each listed name can be looked up and removed.
find "$MNT" -mindepth 1 -delete || fail "removing every name"
same "none left" 0 "$(count)"

# Every length.
name=
i=1
while [ $i -le 255 ]; do
	name=${name}n
	: >"$MNT/$name" || fail "a name of $i bytes"
	i=$((i + 1))
done
same "lengths" 255 "$(count)"
refuses "File name too long" touch "$MNT/${name}n"
refuses "File name too long" mkdir "$MNT/${name}n"
refuses "File name too long" mv "$MNT/n" "$MNT/${name}n"
refuses "File name too long" ln "$MNT/n" "$MNT/${name}n"
refuses "File name too long" ln -s x "$MNT/${name}n"
refuses "File name too long" stat "$MNT/${name}n"
# 255 bytes of UTF-8 that are fewer characters.
utf=$(printf 'ä%.0s' $(seq 127))
echo u >"$MNT/$utf" || fail "254 bytes of UTF-8"
same "UTF-8" u "$(cat "$MNT/$utf")"

# A hundred levels, and paths near PATH_MAX.
p=$MNT/deep
i=0
while [ $i -lt 100 ]; do
	p=$p/level$i
	i=$((i + 1))
done
mkdir -p "$p" || fail "100 levels"
echo bottom >"$p/file"
same "at the bottom" bottom "$(cat "$p/file")"

mkdir "$MNT/long"
cd "$MNT/long" || exit 1
i=0
while [ $i -lt 17 ]; do
	mkdir "$name" && cd -P "$name" || fail "level $i of long names"
	i=$((i + 1))
done
echo far >file || fail "a file behind 4,352 bytes of path"
same "far" far "$(cat file)"
cd / || exit 1
# As one path: 4,095 bytes are the kernel's limit.
part=long/$name/$name/$name/$name/$name/$name/$name/$name/$name/$name
part=$part/$name/$name/$name/$name/$name
cd "$MNT" || exit 1
rest=$((4095 - ${#part} - 1))
[ $rest -gt 255 ] && rest=255
last=$(printf "%.${rest}s" "$name")
last=${last%n}m
echo edge >"$part/$last" || fail "a path of ${#part} and $rest bytes"
same "edge" edge "$(cat "$part/$last")"
cd / || exit 1
rm -rf "$MNT/long" "$MNT/deep" || fail "removing deep trees"
stop_kvfs
