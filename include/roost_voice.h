/* roost_voice.h - this device's voice in a meeting, and everybody else's; part of roost.h, whose
 * rules hold here too.
 *
 *     roost_voice_start(r, meeting, &(struct roost_voice_options){ 0 }, why);    // once one is in
 *     ... roost_wait, roost_next: ROOST_VOICE tells what happened ...
 *     const struct roost_voice *v = roost_voice_get(r);      // levels, figures, who has which keys
 *     roost_voice_mute(r, true);                             // nothing is encoded, nothing sent
 *
 * Sound has a thread of its own; whoever drives the handle must come back often (roost_wait does),
 * or frames wait. What was begun goes on by itself after a lost connection, a change of network or
 * a restart of the server. All that is sent is sealed: end to end, unless the meeting says
 * otherwise from its beginning (end_to_end); that cannot change while one is in it: who tries ends
 * the voice, loudly.
 */
#ifndef ROOST_VOICE_H
#define ROOST_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct roost;

enum { ROOST_VOICE_WHY = 200 };

enum roost_voice_codec { ROOST_OPUS = 1, ROOST_PCM = 2 };

struct roost_voice_options {
    /* tone[:HZ], file:F, once:F, none, default, or a device; null, file:F, default, or a device.
     * NULL: the device that there is. */
    const char *mic, *speaker;
    enum roost_voice_codec codec; /* 0: Opus */
    uint32_t frame_ms;            /* Opus 10, 20, 60; PCM 5 (48 kHz) or 20 (16 kHz); 0: 20 */
    uint32_t bits; /* a second, at most: 8000 to 96000; 0: 32000; less on a bad path */
    bool music;
    bool push_to_talk, muted;
    bool raw_mic;       /* without echo cancelling, noise suppression and gain control */
    const char *record; /* a new file; or NULL */
    const char *title, *name;
};

enum roost_voice_state {
    ROOST_VOICE_OFF,
    ROOST_VOICE_ENTERING, /* also after the connection was lost: sound goes on if it can */
    ROOST_VOICE_IN,
};

/* How well one knows who somebody's keys belong to. */
enum roost_voice_trust {
    ROOST_TRUST_GUEST,    /* a guest: nobody knows */
    ROOST_TRUST_KNOWN,    /* the device was met before under this name */
    ROOST_TRUST_NEW,      /* the first device of this person that was ever met; kept from now on */
    ROOST_TRUST_STRANGER, /* others are known of this person, and this is none of them */
    ROOST_TRUST_NOT_YET,  /* nothing was proven yet */
};

/* Figures of a way, or of a stream that came on it; over the last 10 s. */
struct roost_voice_figures {
    int64_t rtt_us, jitter_us, held_us; /* held: in the jitter buffer */
    uint64_t bits;                      /* a second */
    uint32_t loss_ppm, left_ppm;        /* before and after repair */
    uint32_t concealed_ppm;             /* of the time that was heard */
    const char *why;                    /* what changed last, as a sentence; "" */
    uint64_t played_us, made_up_us;     /* of a voice: since it was heard first */
};

struct roost_voice_person {
    uint32_t number; /* of the device in the meeting */
    uint64_t account;
    const char *name, *device_name;
    bool self, guest;
    enum roost_voice_trust trust;
    bool sends, muted; /* has a voice; which the server does not forward */
    bool heard;        /* in the last second */
    uint8_t level;     /* 0 to 127: full scale; a decibel each */
    struct roost_voice_figures figures;
    uint64_t unopened; /* parts that came in their name and were not sealed so; since they came */
};

struct roost_voice {
    enum roost_voice_state state;
    uint64_t meeting;
    uint32_t number;
    bool end_to_end, silenced; /* silenced: by the server */
    bool muted;                /* by oneself, or push to talk is not pushed */
    uint8_t level;             /* of the microphone */
    bool speaks;
    const char *mic, *speaker; /* what is in use now */
    enum roost_voice_codec codec;
    uint32_t frame_ms, codec_bits;           /* as the path allows now */
    uint64_t estimate;                       /* bits a second that the way to the server carries */
    struct roost_voice_figures path;         /* to the server */
    uint32_t speaker_number;                 /* who is shown as the speaker; 0: nobody */
    uint32_t epoch;                          /* of the list below */
    uint64_t frames_sent, frames_lost;       /* lost: this machine was too slow */
    const struct roost_voice_person *people; /* who takes part, oneself included */
    size_t n_people;
    /* Where they are files: when their first sample was heard, by the machine's monotonic clock. */
    int64_t mic_began_us, speaker_began_us;
};

enum roost_voice_what {
    ROOST_VOICE_ENTERED, /* or is back */
    ROOST_VOICE_REFUSED, /* text; it is off */
    ROOST_VOICE_OVER,    /* text; likewise */
    ROOST_VOICE_PEOPLE,  /* who takes part has changed, so the code has */
    ROOST_VOICE_SPEAKER, /* number, account, name */
    ROOST_VOICE_SILENCED,
    ROOST_VOICE_HEARD,  /* by the server: nothing of ours is forwarded; is again */
    ROOST_VOICE_CODE,   /* text: eight words, to be compared with everybody's */
    ROOST_VOICE_ALARM,  /* number, name, text: somebody cheats */
    ROOST_VOICE_RECORD, /* text: of the recording */
};

struct roost_voice_event {
    enum roost_voice_what what;
    uint64_t meeting, account;
    uint32_t number;
    const char *name, *text; /* "" where there is none; until the next call of roost_next */
};

/* 0, or an error with a sentence in `why`. Where one of mic and speaker was given, and there is no
 * device for the other, it goes on without that, and the sentence says so. -ROOST_E_ALREADY: there
 * is one. */
int roost_voice_start(struct roost *r, uint64_t meeting, const struct roost_voice_options *o,
                      char why[ROOST_VOICE_WHY]);
void roost_voice_stop(struct roost *r);
void roost_voice_mute(struct roost *r, bool muted);
void roost_voice_talk(struct roost *r, bool pushed);
/* How loud somebody is here: 0 to 4, 1 as it came. */
void roost_voice_volume(struct roost *r, uint32_t number, float volume);
/* Until the next call of it. NULL: none was started. */
const struct roost_voice *roost_voice_get(struct roost *r);
/* ROOST_VOICE_CODE comes, a good part of a second later. -ROOST_E_NOT_IN_MEETING: not in yet. */
int roost_voice_code(struct roost *r);

/* What everybody's devices measured, for hosts and admins; after the meeting too. ROOST_FIGURES. */
int64_t roost_meet_stats(struct roost *r, uint64_t meeting, const char *code, uint32_t after);

struct roost_media_figures {
    uint64_t stream; /* 0: of the path to the server */
    bool sent, tunnel;
    struct roost_voice_figures figures;
    uint64_t estimate;
    const char *codec;
};
struct roost_device_figures {
    uint32_t place, number; /* number 0: takes part no more */
    uint64_t account;
    const char *name, *device_name;
    bool here;
    uint64_t at_ms;
    const struct roost_media_figures *figures, *server; /* as the device says; as the server does */
    size_t n_figures, n_server;
    struct {
        uint64_t came_ms, left_ms;
        uint32_t reports, rtt_us, rtt_worst_us, jitter_us, jitter_worst_us, loss_ppm, left_ppm,
            left_worst_ppm, concealed_ppm, concealed_worst_ppm, tunnel_permille, why_permille;
        const char *why;
    } summary;
};

#ifdef __cplusplus
}
#endif

#endif
