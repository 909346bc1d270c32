/* SPDX-License-Identifier: ISC */
/* The command line of kvfs; see options.h. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/options/options.h"
#include "util/log.h"

static int
refuse_usage(const char *what, const char *reason)
{
	log_error("%s: %s: see kvfs --help", what, reason);
	return -EINVAL;
}

/* Append to the list of all -o arguments, to free(3). */
static int
join_lists(char **listp, const char *more)
{
	char *list;

	if (asprintf(&list, "%s%s%s", *listp != NULL ? *listp : "",
		*listp != NULL ? "," : "", more) < 0)
		return -ENOMEM;
	free(*listp);
	*listp = list;
	return 0;
}

static int
take_operands(struct options *o, int n, char **operands)
{
	if (n == 0)
		return refuse_usage("usage", "no mountpoint given");
	if (n > 2)
		return refuse_usage(operands[2], "one operand too many");
	o->store = n == 2 ? operands[0] : NULL;
	o->mountpoint = operands[n - 1];
	if (o->mountpoint[0] == '\0')
		return refuse_usage("mountpoint", "empty name");
	if (o->store != NULL && o->store[0] == '\0')
		return refuse_usage("store", "empty name");
	return 0;
}

/* Does the list of options ask for a remount? */
static bool
asks_for_remount(const char *list)
{
	size_t len = strlen("remount");

	for (const char *p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, "remount", len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return true;
	}
	return false;
}

int
options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "debug", no_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	char *list = NULL;
	int rc = 0;
	int c;

	optind = 0;
	while (rc == 0 &&
	    (c = getopt_long(argc, argv, ":o:fdhV", longs, NULL)) != -1) {
		switch (c) {
		case 'o':
			rc = join_lists(&list, optarg);
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'd':
			o->debug = o->foreground = true;
			break;
		case 'h':
			o->help = true;
			break;
		case 'V':
			o->version = true;
			break;
		case ':':
			rc = refuse_usage(argv[optind - 1],
			    "needs an argument");
			break;
		default:
			rc = refuse_usage(argv[optind - 1], "unknown option");
			break;
		}
	}
	if (rc == 0 && !o->help && !o->version)
		rc = take_operands(o, argc - optind, argv + optind);
	if (rc == 0 && !o->help && !o->version && asks_for_remount(list))
		o->remount = list;
	else if (rc == 0 && !o->help && !o->version)
		rc = options_parse_list(o, list != NULL ? list : "");
	if (o->remount == NULL)
		free(list);
	return rc;
}
