/* SPDX-License-Identifier: ISC */
/* Numbers and sizes as text: "1000", "64M". */
#ifndef KVFS_FUSE_OPTIONS_OPTION_SIZE_H
#define KVFS_FUSE_OPTIONS_OPTION_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With the largest of K, M and G that divides it; buf holds 32 bytes. */
void option_format_size(uint64_t n, char *buf, size_t len);

/* Digits alone, or with K, M or G behind them (k, m, g) if takes_suffix.
 * False: text is nothing of that kind, or the number is too large. */
bool option_parse_size(const char *text, bool takes_suffix, uint64_t *np);

#endif
