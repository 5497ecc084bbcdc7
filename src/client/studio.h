/* studio.h - a thread for sound: from the microphone to frames, from frames to the speaker.
 *
 *     handle's thread                         its own thread
 *     studio_next      <- ring <-   encoder <- gate <- process <- microphone
 *     studio_heard     -> ring ->   an ear for each stream -> mix -> speaker
 *
 * The two meet at rings with one writer and one reader each, at a few numbers that either may set
 * at any moment, and at a look that is taken several times a second under a lock that neither holds
 * for longer than a copy. A ring that is full loses what is new, and counts. The descriptor becomes
 * readable when a frame waits in studio_next.
 *
 * While one is muted, or push to talk is not pushed, nothing is encoded: there is no frame that
 * could be sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "av/codec.h"
#include "av/sound.h"
#include "wire/media.h"

enum {
    STUDIO_EARS_MAX = 64, /* streams that are heard at once */
    STUDIO_NAME = 128,
    STUDIO_NEWS = 240,
};

struct studio_wish {
    const char *mic, *speaker; /* sound.h; NULL: what there is */
    enum media_codec codec;
    uint32_t frame_ticks; /* 480, 960, 2880; PCM: 240 or 960 */
    uint32_t bits;
    bool music, ptt, muted;
    bool echo, noise, gain;   /* wanted */
    const char *record;       /* a file, or NULL */
    const char *title, *name; /* of the meeting; of oneself: for the recording */
};

struct studio_frame {
    enum media_codec codec;
    uint32_t timestamp;
    uint8_t level;
    bool silence;
    uint16_t len;
    uint8_t bytes[CODEC_BYTES_MAX];
};

/* How a stream is heard. */
struct studio_ear {
    uint64_t stream;
    uint32_t who;
    uint8_t level;
    uint64_t played_ticks, concealed_ticks;
    int64_t held_us;
};
struct studio_look {
    struct sound_look mic, speaker;
    uint8_t level; /* of the microphone, before any gate */
    bool speaks;
    uint64_t lost; /* frames that found a ring full */
    uint32_t n;
    struct studio_ear ears[STUDIO_EARS_MAX];
};

struct studio;

/* -ROOST_IO, -ROOST_INVALID, -ROOST_NOMEM with a sentence in `why`. If one of the two was asked for
 * and for the other there is no device, it goes on without that, and `why` says so. */
int studio_new(struct studio **ret, const struct studio_wish *wish, char why[static SOUND_WHY]);
void studio_free(struct studio *s);
int studio_fd(const struct studio *s);

/* The oldest frame; false: none. */
bool studio_next(struct studio *s, struct studio_frame *ret);
/* An opened frame of somebody's, who came at now_us. */
void studio_heard(struct studio *s, int64_t now_us, uint32_t who, const struct media *m,
                  const uint8_t *bytes, size_t len);
/* This stream is no more. */
void studio_gone(struct studio *s, uint64_t stream);
/* Who is to have a track, and its name; of a recording. */
void studio_person(struct studio *s, uint32_t who, const char *name);
void studio_volume(struct studio *s, uint32_t who, float volume);

void studio_mute(struct studio *s, bool muted);
void studio_talk(struct studio *s, bool pushed);
void studio_rate(struct studio *s, uint32_t bits, float loss);
bool studio_is_muted(const struct studio *s);
/* The newest look. */
void studio_look(struct studio *s, struct studio_look *ret);
/* What the recording has to tell; false: nothing. */
bool studio_news(struct studio *s, char ret[static STUDIO_NEWS]);
