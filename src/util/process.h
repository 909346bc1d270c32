/* SPDX-License-Identifier: ISC */
/*
 * Puts what a process inherits (descriptors, signals) in the usual state, on
 * which the rest of the program relies. Call these while there is one thread.
 */
#ifndef KVFS_UTIL_PROCESS_H
#define KVFS_UTIL_PROCESS_H

/*
 * Call it first in main(). Opens those of the descriptors 0, 1 and 2 that are
 * closed, so that no other file gets them; to use them still fails with EBADF.
 */
void process_reserve_standard_files(void);

/*
 * A write beyond the limit of file sizes returns an error instead of killing
 * the process, and children can be waited for. Other ignored signals stay
 * ignored.
 */
void process_init_signals(void);

/*
 * For a daemon: close all descriptors above 2 except keep (-1: none), since a
 * process may wait for an inherited lock, or for the end of an inherited pipe.
 */
void process_close_inherited(int keep);

#endif
