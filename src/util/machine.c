/* SPDX-License-Identifier: ISC */
/* See machine.h. */
#include "util/machine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number in a file; UINT64_MAX when there is none, or "max". */
static uint64_t
limit_in(const char *path)
{
	unsigned long long n;
	FILE *f = fopen(path, "re");
	int found;

	if (f == NULL)
		return UINT64_MAX;
	found = fscanf(f, "%20llu", &n);
	fclose(f);
	return found == 1 ? n : UINT64_MAX;
}

/* The smallest limit of a group and its ancestors. */
static uint64_t
limit_of(const char *root, const char *dir, const char *group, const char *file)
{
	uint64_t least = UINT64_MAX;
	char path[PATH_MAX];
	size_t len = strlen(group);

	for (;;) {
		int n = snprintf(path, sizeof(path), "%s%s%.*s/%s", root, dir,
		    (int)len, group, file);
		uint64_t limit = n > 0 && (size_t)n < sizeof(path) ?
		    limit_in(path) :
		    UINT64_MAX;

		if (limit < least)
			least = limit;
		if (len == 0)
			return least;
		while (len > 0 && group[--len] != '/')
			continue;
	}
}

/* A line is "ID:CONTROLLERS:GROUP"; version 2 has no controllers. */
static uint64_t
limit_by_line(const char *root, char *line)
{
	char *controllers = strchr(line, ':'), *group;

	line[strcspn(line, "\n")] = '\0';
	group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
	if (group == NULL)
		return UINT64_MAX;
	controllers++;
	*group++ = '\0';
	if (*controllers == '\0')
		return limit_of(root, "", group, "memory.max");
	for (char *name; (name = strsep(&controllers, ",")) != NULL;)
		if (strcmp(name, "memory") == 0)
			return limit_of(root, "/memory", group,
			    "memory.limit_in_bytes");
	return UINT64_MAX;
}

uint64_t
machine_memory(const char *list, const char *root)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t least = UINT64_MAX;
	FILE *f = fopen(list, "re");
	char *line = NULL;
	size_t cap = 0;

	if (pages > 0 && page > 0)
		least = (uint64_t)pages * (uint64_t)page;
	while (f != NULL && getline(&line, &cap, f) >= 0) {
		uint64_t limit = limit_by_line(root, line);

		if (limit < least)
			least = limit;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return least != UINT64_MAX ? least : 0;
}
