/* SPDX-License-Identifier: ISC */
/*
 * How a daemon informs other processes: a note in the store's file LOCK, one
 * line, says where the store is mounted; the process title says that the daemon
 * is ending.
 */
#ifndef KVFS_UTIL_DAEMON_NOTE_H
#define KVFS_UTIL_DAEMON_NOTE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a note: enough for any mountpoint, with some escapes. */
#define DAEMON_NOTE_MAX 4200

/* The beginning of the process title, after "kvfs: ", of a daemon that is
 * ending: its mount has gone, and it writes its data to disk. */
#define DAEMON_ENDING "ending "

/* Write the note, NUL-terminated, to note. */
void daemon_note_make(char *note, size_t len, const char *mountpoint);
/* Get the mountpoint from a note; false when another program wrote it. */
bool daemon_note_parse(const char *note, char *mountpoint, size_t len);

/* By the process title. */
bool daemon_is_ending(int pid);

#endif
