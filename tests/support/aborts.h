/* SPDX-License-Identifier: ISC */
/* Calls that have to end the process, as a broken invariant does. */
#ifndef KVFS_SUPPORT_ABORTS_H
#define KVFS_SUPPORT_ABORTS_H

#include <stdbool.h>

/* Whether fn(arg), in a child process, ends in abort(3) after a line on
 * stderr that has text in it. What it wrote there is shown if not. */
bool aborts_with(const char *text, void (*fn)(void *arg), void *arg);

#endif
