#include "av/process_near.h"

#include <speex/speex_echo.h>
#include <speex/speex_preprocess.h>
#include <stdlib.h>
#include <string.h>

enum {
    HZ = 48000,
    BLOCK = 480,
    TAIL = 9600,      /* 200 ms of a room, and of what the times did not tell */
    QUIETER_DB = -18, /* noise */
    LOUDER_DB = 18,   /* who speaks softly, at most */
    LOUD = 9000,      /* that is how loud all are to be: of 32,768 */
};

struct near {
    SpeexEchoState *echo;
    SpeexPreprocessState *after;
    int16_t far[BLOCK], out[BLOCK];
};

static void set(struct near *n, int what, int value)
{
    speex_preprocess_ctl(n->after, what, &value);
}

struct near *near_new(bool echo, bool noise, bool gain)
{
    struct near *n = calloc(1, sizeof *n);
    int hz = HZ;
    float loud = LOUD;

    if (!n)
        return NULL;
    n->after = speex_preprocess_state_init(BLOCK, HZ);
    n->echo = echo ? speex_echo_state_init(BLOCK, TAIL) : NULL;
    if (!n->after || (echo && !n->echo)) {
        near_free(n);
        return NULL;
    }
    set(n, SPEEX_PREPROCESS_SET_DENOISE, noise);
    set(n, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, QUIETER_DB);
    set(n, SPEEX_PREPROCESS_SET_AGC, gain);
    set(n, SPEEX_PREPROCESS_SET_AGC_MAX_GAIN, LOUDER_DB);
    speex_preprocess_ctl(n->after, SPEEX_PREPROCESS_SET_AGC_LEVEL, &loud);
    if (echo) {
        speex_echo_ctl(n->echo, SPEEX_ECHO_SET_SAMPLING_RATE, &hz);
        speex_preprocess_ctl(n->after, SPEEX_PREPROCESS_SET_ECHO_STATE, n->echo);
    }
    return n;
}

void near_free(struct near *n)
{
    if (!n)
        return;
    if (n->echo)
        speex_echo_state_destroy(n->echo);
    if (n->after)
        speex_preprocess_state_destroy(n->after);
    free(n);
}

void near_heard(struct near *n, const int16_t *far)
{
    memcpy(n->far, far, sizeof n->far);
}

void near_said(struct near *n, int16_t *pcm)
{
    if (n->echo) {
        speex_echo_cancellation(n->echo, pcm, n->far, n->out);
        memcpy(pcm, n->out, sizeof n->out);
    }
    speex_preprocess_run(n->after, pcm);
}
