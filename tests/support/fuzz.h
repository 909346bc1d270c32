/* SPDX-License-Identifier: ISC */
/* Helpers of the fuzz targets. */
#ifndef KVFS_TESTS_FUZZ_H
#define KVFS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct env_file;

/* libFuzzer's entry, which each target defines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Discard what the code under test logs. */
void fuzz_quiet(void);
/* Write to the file, or end the program. */
void fuzz_write(struct env_file *f, const void *data, size_t len, uint64_t off);

#endif
