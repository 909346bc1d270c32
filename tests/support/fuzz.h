/* SPDX-License-Identifier: ISC */
/* What the fuzz targets share. */
#ifndef KVFS_TESTS_FUZZ_H
#define KVFS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct env_file;

/* libFuzzer's entry, which each target defines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the code under test logs of bad input goes nowhere. */
void fuzz_quiet(void);
/* Writes to the file, or ends the program. */
void fuzz_write(struct env_file *f, const void *data, size_t len, uint64_t off);

#endif
