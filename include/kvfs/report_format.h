/* SPDX-License-Identifier: ISC */
/* The form in which figures are printed; see kv_report(). */
#ifndef KVFS_REPORT_FORMAT_H
#define KVFS_REPORT_FORMAT_H

enum report_format {
	REPORT_TEXT, /* lines "Title: value", for people */
	REPORT_METRICS, /* the text format of Prometheus, for monitors */
};

#endif
