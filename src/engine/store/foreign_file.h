/* SPDX-License-Identifier: ISC */
/* Files of other databases, told by how they begin. */
#ifndef KVFS_ENGINE_STORE_FOREIGN_FILE_H
#define KVFS_ENGINE_STORE_FOREIGN_FILE_H

#include <stddef.h>

/* How much of a file is looked at. */
#define FOREIGN_HEAD 32

/* "a SQLite database", or NULL: none that is known. */
const char *foreign_file_kind(const void *head, size_t len);
/* The same for a file; NULL, too, when it cannot be read. */
const char *foreign_file_look(const char *path);

#endif
