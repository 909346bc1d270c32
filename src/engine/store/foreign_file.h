/* SPDX-License-Identifier: ISC */
/* Detects files of other databases by their first bytes. */
#ifndef KVFS_ENGINE_STORE_FOREIGN_FILE_H
#define KVFS_ENGINE_STORE_FOREIGN_FILE_H

#include <stddef.h>

/* So many bytes of a file are examined. */
#define FOREIGN_HEAD 32

/* Returns, for example, "a SQLite database", or NULL if it is none that is
 * known. */
const char *foreign_file_kind(const void *head, size_t len);
/* The same for a file. Also NULL if it cannot be read. */
const char *foreign_file_look(const char *path);

#endif
