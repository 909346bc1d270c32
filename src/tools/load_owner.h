/* SPDX-License-Identifier: ISC */
/* Owners of what is in an archive: by name, as far as this system knows it, else
 * by number, as tar(1) does. One thread. */
#ifndef KVFS_TOOLS_LOAD_OWNER_H
#define KVFS_TOOLS_LOAD_OWNER_H

#include <stdint.h>

struct archive_entry;

uint32_t load_owner_uid(struct archive_entry *e);
uint32_t load_owner_gid(struct archive_entry *e);

#endif
