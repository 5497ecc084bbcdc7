/* handlers_media.h - the handlers of media in meetings, for the table in rules.c. */
#pragma once

#include "hub/internal.h"

int media_enter_on_message(struct hub *h, struct request *q);
int media_leave_on_message(struct hub *h, struct request *q);
int media_publish_on_message(struct hub *h, struct request *q);
int media_unpublish_on_message(struct hub *h, struct request *q);
int media_want_on_message(struct hub *h, struct request *q);
int media_keys_on_message(struct hub *h, struct request *q);
int media_report_on_message(struct hub *h, struct request *q);
int meet_stats_on_message(struct hub *h, struct request *q);
