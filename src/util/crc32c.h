/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli), by SSE4.2 where the processor has it. Any thread. */
#ifndef KVFS_UTIL_CRC32C_H
#define KVFS_UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue the sum crc, 0 at the beginning, with data; returns the new sum. */
uint32_t crc32c_sum(uint32_t crc, const void *data, size_t len);

#endif
