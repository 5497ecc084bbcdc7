/* studio_inside.h - what the files of studio.h share.
 *
 * studio.c        life, the handle's side of it
 * studio_thread.c the thread: what is said, what is heard
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "av/ear.h"
#include "av/process.h"
#include "av/record.h"
#include "client/studio.h"
#include "media/level.h"
#include "media/mix.h"

enum {
    STUDIO_BLOCK = 240, /* 5 ms: the shorter, the later a frame may come */
    UP_FRAMES = 32,
    DOWN_FRAMES = 256,
    NEWS_WAIT = 16,
};

enum studio_what { STUDIO_HEARD, STUDIO_GONE, STUDIO_VOLUME, STUDIO_PERSON };

/* To the thread. */
struct studio_down {
    enum studio_what what;
    uint32_t who, len;
    int64_t at_us;
    float volume;
    struct media media;
    uint8_t bytes[MEDIA_PART_MAX]; /* or a name */
};

/* One writer, one reader; each has its own index. */
struct studio_ring {
    _Atomic uint32_t wrote, read;
};

struct studio_voice { /* one that is heard */
    uint64_t stream;  /* 0: free */
    uint32_t who;
    int64_t heard_us;
    float volume;
    struct ear *ear;
    struct studio *studio;
};

struct studio {
    pthread_t thread;
    bool begun;
    int fd;
    struct studio_wish wish;
    char names[2][STUDIO_NAME], path[1024];
    _Atomic bool over, muted, pushed;
    _Atomic uint32_t bits, loss_permille;
    _Atomic uint64_t lost;
    struct studio_ring up, down;
    struct studio_frame up_frames[UP_FRAMES];
    struct studio_down down_frames[DOWN_FRAMES];
    pthread_mutex_t lock; /* of shown and news */
    struct studio_look shown;
    char news[NEWS_WAIT][STUDIO_NEWS];
    uint32_t n_news;
    /* the thread's alone */
    struct sound_in *mic;
    struct sound_out *speaker;
    struct process *process;
    struct encoder *encoder;
    struct record *record;
    struct mix mix;
    struct activity activity;
    struct gate_fade gate;
    int16_t waiting[CODEC_TICKS_MAX + SOUND_BLOCK];
    uint32_t n_waiting;
    uint64_t stamp;     /* ticks, of what comes next from the microphone */
    int64_t stamp_us;   /* ... which is said then */
    bool stamped, open; /* open: frames go out */
    uint8_t level;
    uint32_t bits_now, loss_now;
    struct studio_voice voices[STUDIO_EARS_MAX];
    struct { /* volumes outlive ears */
        uint32_t who;
        float volume;
    } volumes[STUDIO_EARS_MAX];
    int64_t shown_us;
    int16_t played[SOUND_BLOCK]; /* what the canceller is told of next */
    uint32_t n_played;
    int64_t played_us;
};

#define STUDIO_PACED_US 10000 /* that a speaker holds which is no device: two blocks */
#define STUDIO_SELF     0     /* of a recording: oneself */

void *studio_run(void *studio);
void studio_tell(struct studio *s, const char *text);
