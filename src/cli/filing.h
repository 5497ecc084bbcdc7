/* filing.h - what the commands about files share: what is to be sent, offers, lists. */
#pragma once

#include "cli/cmd.h"
#include "cli/table.h"

/* What send's words and options say; `what` borrows from a and from f. */
struct filing_send {
    struct roost_file_send what;
    const char **paths;
    char *target;
};
/* 0 or an exit status, the error printed. Then filing_send_fini in any case. */
int filing_send_read(struct cli *c, const struct cli_args *a, struct filing_send *f);
void filing_send_fini(struct filing_send *f);
const char *filing_send_name(const struct filing_send *f); /* for an error */

/* What the words and options of get and accept say; as above. */
struct filing_get {
    struct roost_file_get what;
    char *copy;
};
int filing_get_read(struct cli *c, const struct cli_args *a, struct filing_get *g);
/* Only where to, of --output and --dir. */
int filing_where_read(struct cli *c, const struct cli_args *a, struct filing_get *g);
/* Whether a word says which; else the one that is offered now, if it is one alone. */
int filing_offered(struct cli *c, const struct cli_args *a, uint64_t *ret);
/* Fetches it and shows how it goes. */
int filing_get(struct cli *c, const struct cli_args *a);
void filing_get_fini(struct filing_get *g);

/* A file's number, as lists show it, or a usage error. */
int filing_number(struct cli *c, const char *word, uint64_t *ret);
void filing_json(struct cli *c, const char *event, const struct roost_file *f);
/* All pages of a list. Exit status. */
int filing_each(struct cli *c, const char *target,
                void (*each)(void *arg, const struct roost_file *f), void *arg);
/* Who sends it goes on with what was accepted before. */
bool filing_goes_on(const struct roost_event *e);
/* A sentence: who offers what, and what can be done about it. */
void filing_offer_say(struct cli *c, const struct roost_file *f);
void filing_taken_say(struct cli *c, const struct roost_file *f); /* unasked */
