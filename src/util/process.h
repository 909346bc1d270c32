/* SPDX-License-Identifier: ISC */
/*
 * What a program inherits from whoever started it, made such that the rest
 * of it can rely on the usual. Call while there is one thread.
 */
#ifndef KVFS_UTIL_PROCESS_H
#define KVFS_UTIL_PROCESS_H

/*
 * First of all in main(): no file that is opened later gets one of the
 * descriptors 0, 1 and 2. One that is closed is filled so that using it
 * fails with EBADF, as it would have.
 */
void process_reserve_standard_files(void);

/*
 * A write beyond the limit of file sizes is an error, no death, and a child
 * can be waited for. Signals that are ignored stay so.
 */
void process_init_signals(void);

/*
 * For a program that leaves its caller behind: close all descriptors above
 * 2 but keep (-1: none). A lock, or the end of a pipe that somebody reads
 * until its end, is not ours to hold.
 */
void process_close_inherited(int keep);

#endif
