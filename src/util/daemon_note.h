/* SPDX-License-Identifier: ISC */
/*
 * What a daemon tells other processes of itself: where its store is mounted,
 * as one line in LOCK, and that it is about to end, by the title of its
 * process.
 */
#ifndef KVFS_UTIL_DAEMON_NOTE_H
#define KVFS_UTIL_DAEMON_NOTE_H

#include <stdbool.h>
#include <stddef.h>

/* Holds any mountpoint, with some escapes. */
#define DAEMON_NOTE_MAX 4200

/* Begins the title, after "kvfs: ", of one whose mount has gone and that
 * writes out what it has. */
#define DAEMON_ENDING "ending "

void daemon_note_make(char *note, size_t len, const char *mountpoint);
/* The mountpoint; false when the note is that of another program. */
bool daemon_note_parse(const char *note, char *mountpoint, size_t len);

bool daemon_is_ending(int pid);

#endif
