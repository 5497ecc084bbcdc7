/* meet_voice.h - one's voice in a meeting, from the terminal: what was asked for, what is shown of
 * it, and a file of figures.
 *
 * `meet join` speaks and hears by the devices that there are. Without any, and without --mic and
 * --speaker, it goes on without sound, and says so.
 */
#pragma once

#include "cli/meet_graph.h"
#include "cli/options.h"
#include "roost.h"

struct meet;
struct meet_cmd;
struct json;

struct meet_voice {
    struct roost_voice_options wish;
    bool asked, on, tried; /* asked: for a sound that there is to be */
    bool hushed;           /* by oneself here, whatever the server knows */
    bool pushed;           /* push to talk */
    int64_t end_us;        /* of --for; 0: none */
    int64_t second_us;     /* the next of --stats and of the graphs */
    struct meet_graph graph;
    void *stats; /* FILE */
    const char *stats_path;
    uint32_t speaker;
    char speaker_name[64];
    char *id; /* of a program's "verify" that waits; NULL: none */
    bool id_is_string, verifies;
};

/* What stands behind the command. 0 or a usage error. */
int meet_voice_options(struct meet *m, const struct cli_args *a);
/* One is in, perhaps for the first time. 0, or an exit status. */
int meet_voice_begin(struct meet *m);
void meet_voice_fini(struct meet *m);
/* After everything that came: mutes follow what the meeting says. */
void meet_voice_turn(struct meet *m);
/* When it is to be called again at the latest; INT64_MAX: whenever. */
int64_t meet_voice_due_us(const struct meet *m);
void meet_voice_event(struct meet *m, const struct roost_voice_event *e);
/* By /mute and /unmute: at once, whatever the server answers. */
void meet_voice_hush(struct meet *m, bool hushed);
/* The end of the input does not end it: it ends by itself (--for, meet verify). */
bool meet_voice_stays(const struct meet *m);
/* A command about sound. */
void meet_voice_do(struct meet *m, const struct meet_cmd *cmd);
/* Voices here are not sealed end to end: by the meeting, or by what was found. */
bool meet_voice_is_open(const struct meet *m);
/* Of what the line shows: " · Ann speaks". */
void meet_voice_prompt(const struct meet *m, struct buf *b);
