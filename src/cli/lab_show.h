/* lab_show.h - what is shown and written down of a transfer: progress, figures, trace. */
#pragma once

#include "cli/lab_end.h"

void lab_heads(struct lab_end *e); /* the first lines of the files */
void lab_clear(struct lab_end *e); /* of the line with the progress */
flow_trace_fn lab_trace;           /* ctx: a struct lab_end */
