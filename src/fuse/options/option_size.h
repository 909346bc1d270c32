/* SPDX-License-Identifier: ISC */
/* Numbers and sizes as text: "1000", "64M". */
#ifndef KVFS_FUSE_OPTIONS_OPTION_SIZE_H
#define KVFS_FUSE_OPTIONS_OPTION_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Print with the largest of K, M and G that divides n; buf has 32 bytes. */
void option_format_size(uint64_t n, char *buf, size_t len);

/* Parse digits, with K, M or G (k, m, g) behind them if takes_suffix. False:
 * text is not of this form, or the number is too large. */
bool option_parse_size(const char *text, bool takes_suffix, uint64_t *np);

#endif
