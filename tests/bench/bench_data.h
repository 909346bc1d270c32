/* SPDX-License-Identifier: ISC */
/*
 * Keys and values that all stores are given alike: 16-byte keys, numbered,
 * and values that snappy halves, each beginning with its key's number.
 */
#ifndef KVFS_BENCH_DATA_H
#define KVFS_BENCH_DATA_H

#include "bench/bench_store.h"

/* The bytes that values are cut from; the longest value is far shorter. */
#define BENCH_POOL_BYTES (1u << 20)

/* The next of a sequence that its first state decides. */
uint64_t bench_random(uint64_t *state);
/* The i-th of 0..n-1 in an order that looks random and has each once. */
uint64_t bench_permute(uint64_t i, uint64_t n);
struct bench_key bench_key_of(uint64_t n);

/* Returns owned (free()). */
char *bench_make_pool(void);
/* Fill dst with a value of key n, its contents chosen by *rng. */
void bench_fill_value(char *dst, size_t len, uint64_t n, const char *pool,
    uint64_t *rng);
bool bench_value_is_of(const char *value, uint64_t n);

/* What snappy makes of 4 KiB of keys and values of so many bytes, as a part
 * of them: the measure of how little space the data can take. */
double bench_compressed_part(size_t value_bytes, const char *pool);

#endif
