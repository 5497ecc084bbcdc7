/* config.h - every setting of roostd: one table, three sources.
 *
 * The defaults are in the table, then come the file (`key = value`, # starts a
 * comment), then --set in order, then the options that have a setting of their
 * own (--port and the like). A key that is not in the table, or a value that
 * does not fit, is an error that says where. Pure but for config_load_file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/hub.h"
#include "seal/password.h"

enum { CONFIG_TEXT_MAX = 256, CONFIG_FILE_MAX = 64 * 1024, CONFIG_ERROR_MAX = 512 };

struct config {
    struct hub_config hub;

    char listen[CONFIG_TEXT_MAX]; /* addresses, separated by commas */
    uint32_t port;                /* 0: a free one */
    uint32_t media_port;          /* 0: port + 1 */
    char tls_certificate[CONFIG_TEXT_MAX], tls_key[CONFIG_TEXT_MAX]; /* "": self-made */
    bool mdns;
    uint32_t log_level;  /* enum log_level */
    uint32_t log_format; /* enum log_format */
    uint32_t sandbox;    /* enum sandbox */

    struct password_params hash;
    uint32_t hash_threads;

    uint32_t handshakes_max, handshakes_source;
    uint32_t http_max;
    char metrics_token[CONFIG_TEXT_MAX]; /* "": metrics for loopback only */
    int64_t handshake_ms, http_ms, close_ms;
    uint64_t files_reserve;
    uint32_t files_threads, files_transfers, files_transfers_user;
    uint64_t queue_bytes; /* that wait for one connection */
    uint32_t store_waiting, store_batch;
};

void config_default(struct config *c);

/* One setting. -ROOST_INVALID with a sentence in error. */
int config_set(struct config *c, const char *key, const char *value,
               char error[static CONFIG_ERROR_MAX]);
/* "key=value", as --set has it. */
int config_set_pair(struct config *c, const char *pair, char error[static CONFIG_ERROR_MAX]);
/* A file's text; name is for the error: "roostd.conf:12: ...". */
int config_parse(struct config *c, const char *name, const char *text, size_t len,
                 char error[static CONFIG_ERROR_MAX]);
int config_load_file(struct config *c, const char *path, char error[static CONFIG_ERROR_MAX]);
/* What no single setting can know. */
int config_check(const struct config *c, char error[static CONFIG_ERROR_MAX]);

/* Every setting, in the order of the table. wanted: "a number from 1 to 20"; choices: NULL
 * unless it is one of some words. */
typedef void config_shown(void *arg, const char *key, const char *value, const char *help,
                          const char *wanted, const char *choices);
void config_each(config_shown *shown, void *arg);

/* --- config_print.c; heap strings, NULL when out of memory --- */

/* The table for --help. */
char *config_help(void);
/* A configuration file with all settings, explained, each at its default and behind a #. */
char *config_print(void);

/* "90", "10s", "15m", "2h", "1d", "250ms" -> milliseconds; "16K", "1M", "2G" -> bytes. */
int config_duration(const char *text, int64_t *ret_ms);
int config_size(const char *text, uint64_t *ret_bytes);
