/* SPDX-License-Identifier: ISC */
#ifndef KVFS_UTIL_RESIDENT_H
#define KVFS_UTIL_RESIDENT_H

#include <stdint.h>

/* Bytes of resident memory of this process; 0 when /proc cannot be read.
 * *privatep: without pages of files. */
uint64_t process_resident_bytes(uint64_t *privatep);

#endif
