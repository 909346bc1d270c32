/* SPDX-License-Identifier: ISC */
/*
 * What this process takes of memory and disk, by the kernel's account, and
 * what a folder does.
 */
#ifndef KVFS_BENCH_PROC_H
#define KVFS_BENCH_PROC_H

#include <stdint.h>

/* Bytes that its threads gave the disk to write, less those of files that
 * were removed before they got there. A page that is changed again before
 * it is written counts once. */
uint64_t proc_written_bytes(void);
/* Processor time of all its threads. */
uint64_t proc_cpu_ns(void);

/* Most of the memory that was resident since the last reset, file pages
 * that it maps among it, and what of it now is no file's. */
void proc_reset_peak(void);
uint64_t proc_peak_rss_bytes(void);
uint64_t proc_anon_bytes(void);

/* What the files below dir take on disk. */
uint64_t dir_disk_bytes(const char *dir);
/* Write the files below dir, an absolute path, out and drop them from the
 * kernel's cache, also those that this process maps: a store that is open
 * and idle finds all as it was, but on disk alone. */
void dir_drop_cache(const char *dir);
void dir_remove(const char *dir);

#endif
