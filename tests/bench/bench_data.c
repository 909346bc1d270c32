/* SPDX-License-Identifier: ISC */
/* Keys and values; see bench_data.h. */
#include "bench/bench_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/coding.h"
#include "util/compress.h"

uint64_t
bench_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Odd multipliers and a shift permute 0 up to a power of two; walk on until
 * the result is in range. */
uint64_t
bench_permute(uint64_t i, uint64_t n)
{
	uint64_t mask = 1;

	while (mask < n)
		mask = mask << 1 | 1;
	do {
		i = (i * 0x9e3779b97f4a7c15u + 0x7f4a7c15u) & mask;
		i ^= i >> 7;
		i = (i * 0xd1342543de82ef95u) & mask;
	} while (i >= n);
	return i;
}

/* Groups of 256 names, as a directory's entries have one group. */
struct bench_key
bench_key_of(uint64_t n)
{
	static const char digits[] = "0123456789abcdef";
	struct bench_key k;

	k.bytes[0] = 1;
	put_be64(k.bytes + 1, n >> 8);
	for (int i = BENCH_KEY_LEN - 1; i >= 9; i--, n >>= 4)
		k.bytes[i] = (unsigned char)digits[n & 15];
	return k;
}

/* Half of every 64 bytes is random, half a text. */
char *
bench_make_pool(void)
{
	static const char text[] = "the quick brown fox jumps over the dog; ";
	uint64_t rng = 42;
	char *pool = malloc(BENCH_POOL_BYTES);

	if (pool == NULL)
		bench_die("values", "no memory");
	for (size_t i = 0; i < BENCH_POOL_BYTES; i++)
		pool[i] = i / 32 % 2 != 0 ? text[i % 32] :
					    (char)bench_random(&rng);
	return pool;
}

void
bench_fill_value(char *dst, size_t len, uint64_t n, const char *pool,
    uint64_t *rng)
{
	size_t off = bench_random(rng) % (BENCH_POOL_BYTES - len);

	memcpy(dst, pool + (off & ~(size_t)63), len);
	put_le64(dst, n);
}

bool
bench_value_is_of(const char *value, uint64_t n)
{
	return get_le64(value) == n;
}

double
bench_compressed_part(size_t value_bytes, const char *pool)
{
	size_t row = BENCH_KEY_LEN + value_bytes, rows = 4096 / row + 1;
	char *raw = malloc(rows * row), *p = raw;
	struct buf out = { 0 };
	uint64_t rng = 1;
	double part;

	if (raw == NULL)
		bench_die("values", "no memory");
	for (uint64_t i = 0; i < rows; i++, p += row) {
		struct bench_key k = bench_key_of(i);

		memcpy(p, k.bytes, BENCH_KEY_LEN);
		bench_fill_value(p + BENCH_KEY_LEN, value_bytes, i, pool, &rng);
	}
	compress_append(CODEC_SNAPPY, slice_make(raw, rows * row), &out);
	if (out.error != 0)
		bench_die("values", "no memory");
	part = (double)out.len / (double)(rows * row);
	buf_fini(&out);
	free(raw);
	return part;
}
