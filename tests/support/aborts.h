/* SPDX-License-Identifier: ISC */
/* Tests of calls that must end the process, such as failed assertions. */
#ifndef KVFS_SUPPORT_ABORTS_H
#define KVFS_SUPPORT_ABORTS_H

#include <stdbool.h>

/* Run fn(arg) in a child process. Does it end in abort(3), after a line on
 * stderr that contains text? If not, its stderr is printed. */
bool aborts_with(const char *text, void (*fn)(void *arg), void *arg);

#endif
