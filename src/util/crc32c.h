/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli): by SSE4.2 where the processor has it. */
#ifndef KVFS_UTIL_CRC32C_H
#define KVFS_UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The sum of data after what gave crc; start with 0. */
uint32_t crc32c_sum(uint32_t crc, const void *data, size_t len);

#endif
