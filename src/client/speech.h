/* speech.h - the voice of a handle in one meeting: what roost_voice.h promises.
 *
 * Between four who do not know each other: control (the core: who is there, keys from device to
 * device), the session of datagrams that the meeting gives, the participant (voice.h), and sound
 * (studio.h). All but sound is on the handle's thread. After a lost connection, or when the session
 * ends, it enters again by itself, with the number and the stream that it had.
 */
#pragma once

#include "client/chores.h"
#include "client/core.h"
#include "client/studio.h"
#include "client/voice.h"
#include "roost.h"

enum {
    SPEECH_NEWS_MAX = 32,
    SPEECH_OWN_MAX = 32, /* requests whose answers are nobody else's */
    SPEECH_TEXT = 320,
};

struct speech_member {
    struct roster_member is;
    uint64_t account;
    bool guest;
    enum roost_voice_trust trust;
    char name[CORE_NAME_MAX], device_name[64];
};

struct speech_news {
    enum roost_voice_what what;
    uint64_t account;
    uint32_t number;
    char name[CORE_NAME_MAX], text[SPEECH_TEXT];
};

struct speech_code {
    struct chore chore;
    bool busy, again;
    uint64_t meeting;
    size_t n;
    int err;
    struct roster_named list[ROSTER_MAX];
    char names[ROSTER_MAX][CORE_NAME_MAX], words[ROSTER_CODE_MAX];
};

struct speech {
    struct roost *r;
    enum roost_voice_state state;
    uint64_t meeting;
    enum roost_voice_codec codec;
    uint32_t frame_ms, bits, bits_now;
    struct studio *studio;
    struct voice *voice;     /* NULL: not in yet */
    uint32_t number, before; /* before: a number to be had again */
    uint64_t stream;
    bool published, silenced, was_ready, sealed, unsealed; /* as it was when one came in first */
    uint8_t seed[32], hub[KEYRING_SECRET];
    int64_t enter, publish; /* requests; 0: none is under way */
    int64_t lost_us;        /* since when control is; 0: it is not */
    int64_t enter_us, publish_us, report_us, look_us;
    int64_t own[SPEECH_OWN_MAX];
    size_t n_own;
    struct speech_member *members;
    size_t n_members;
    uint32_t epoch, speaker;
    uint64_t frames;
    struct speech_news news[SPEECH_NEWS_MAX];
    size_t n_news;
    struct speech_news given;
    struct chores chores;
    bool has_chores;
    struct speech_code *code;
    /* what roost_voice_get gave last */
    struct roost_voice shown;
    struct roost_voice_person *people;
    struct studio_look look;
    char mic[SOUND_NAME], out[SOUND_NAME];
    char (*sentences)[FIGURES_SENTENCE];
};

void speech_init(struct speech *s, struct roost *r);
void speech_fini(struct speech *s);
/* Before datagrams are processed: control's side of it. */
void speech_process(struct speech *s, int64_t now_us);
int64_t speech_deadline_us(const struct speech *s, int64_t now_us);
bool speech_next(struct speech *s, struct roost_event *ret);
bool speech_has_news(const struct speech *s);

/* --- among its files: speech.c life and time, speech_control.c, speech_show.c figures --- */
void speech_tell(struct speech *s, enum roost_voice_what what, const struct speech_member *of,
                 const char *text);
void speech_control(struct speech *s, int64_t now_us);
void speech_send_keys(struct speech *s, int64_t now_us);
void speech_report(struct speech *s, int64_t now_us);
int64_t speech_ask(struct speech *s, Roost__ToServer *m, int64_t now_us);
struct speech_member *speech_member(const struct speech *s, uint32_t number);
void speech_off(struct speech *s, enum roost_voice_what what, const char *text);
void speech_look(struct speech *s, int64_t now_us); /* of the studio, into figures */
int64_t speech_code_due_us(const struct speech *s, int64_t now_us);
void speech_mind_code(struct speech *s);
