/* SPDX-License-Identifier: ISC */
#ifndef KVFS_UTIL_RESIDENT_H
#define KVFS_UTIL_RESIDENT_H

#include <stdint.h>

/* What this process has in memory; 0 when nobody tells. *privatep: what of
 * it is no file's. */
uint64_t process_resident_bytes(uint64_t *privatep);

#endif
